/*
 * quota.h - one reactor's part in slots that several share
 *
 * While it is open it has one slot in hand for the next who comes. Where it gets none,
 * it says so, stands in line, and says so again: who pauses accepting meanwhile never
 * lets in more than there are slots, however many reactors accept.
 */
#ifndef SUPPORT_QUOTA_H
#define SUPPORT_QUOTA_H

#include "slots.h"

/* It lies in the caller's own struct; its members are quota.c's. */
struct quota {
	struct slots *slots;
	struct slots_waiter waiter;
	void (*full)(struct quota *quota, bool full);
	bool open;
	bool in_hand; /* a slot for the next */
};

/*
 * Begins a quota, not open.
 * slots, reactor: outlive it.
 * full: told when there is no slot for the next, with true, and when there is one
 * again, with false; in turns.
 */
void quota_init(struct quota *quota, struct slots *slots, struct adopt_reactor *reactor,
		void (*full)(struct quota *quota, bool full));

/* Opens it, or closes it: then it is not full, has no slot in hand and awaits none.
 * Both are harmless twice, and the latter for one that is all zeros. */
void quota_open(struct quota *quota);
void quota_close(struct quota *quota);

/* One has come: by the slot in hand, or by a way without a limit. */
void quota_spend(struct quota *quota);

/* One that had come has gone. */
void quota_return(struct quota *quota);

#endif
