#include "quota.h"

#include <stddef.h>

static void granted(struct slots_waiter *waiter)
{
	struct quota *quota = (struct quota *)((char *)waiter - offsetof(struct quota, waiter));

	quota->in_hand = true;
	quota->full(quota, false);
}

void quota_init(struct quota *quota, struct slots *slots, struct adopt_reactor *reactor,
		void (*full)(struct quota *quota, bool full))
{
	*quota = (struct quota){
		.slots = slots,
		.waiter = {.reactor = reactor, .granted = granted},
		.full = full,
	};
}

static void take_next(struct quota *quota)
{
	quota->in_hand = slots_take(quota->slots);
	if (quota->in_hand)
		return;
	quota->full(quota, true);
	slots_wait(quota->slots, &quota->waiter);
}

void quota_open(struct quota *quota)
{
	if (quota->open)
		return;
	quota->open = true;
	take_next(quota);
}

void quota_close(struct quota *quota)
{
	if (!quota->open)
		return;
	quota->open = false;
	if (quota->in_hand) {
		quota->in_hand = false;
		slots_give(quota->slots);
	} else {
		slots_leave(&quota->waiter);
		quota->full(quota, false);
	}
}

void quota_spend(struct quota *quota)
{
	if (!quota->in_hand) {
		slots_take_anyway(quota->slots);
		return;
	}
	take_next(quota);
}

void quota_return(struct quota *quota)
{
	slots_give(quota->slots);
}
