#include "upstream.h"

#include "support/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct upstream *upstream_new(const struct adopt_address *address, struct health *health,
			      const void *origin, bool named)
{
	struct upstream *upstream = health ? calloc(1, sizeof *upstream) : NULL;

	if (!upstream) {
		health_give_back(&health);
		return NULL;
	}
	upstream->address = *address;
	upstream->origin = origin;
	upstream->named = named;
	upstream->weight = 1;
	upstream->references = 1;
	upstream->health = health;
	return upstream;
}

struct upstream *upstream_ref(struct upstream *upstream)
{
	upstream->references++;
	return upstream;
}

void upstream_unref(struct upstream **upstream)
{
	if (*upstream && --(*upstream)->references == 0) {
		health_give_back(&(*upstream)->health);
		free(*upstream);
	}
	*upstream = NULL;
}

void upstream_enter(struct upstream *upstream)
{
	atomic_fetch_add(&upstream->health->active, 1);
}

void upstream_leave(struct upstream *upstream)
{
	atomic_fetch_sub(&upstream->health->active, 1);
}

unsigned upstream_active(const struct upstream *upstream)
{
	return atomic_load(&upstream->health->active);
}

bool upstream_usable(const struct upstream *upstream, uint64_t now_ms)
{
	return atomic_load(&upstream->health->failures) == 0 ||
	       now_ms >= atomic_load(&upstream->health->retry_at_ms);
}

static uint64_t pause_ms(unsigned failures)
{
	uint64_t pause = UPSTREAM_PAUSE_MIN_MS;

	while (--failures > 0 && pause < UPSTREAM_PAUSE_MAX_MS)
		pause *= 2;
	return pause < UPSTREAM_PAUSE_MAX_MS ? pause : UPSTREAM_PAUSE_MAX_MS;
}

void upstream_tried(struct upstream *upstream, uint64_t now_ms)
{
	struct health *health = upstream->health;
	unsigned failures = atomic_load(&health->failures);
	uint64_t retry_at_ms = atomic_load(&health->retry_at_ms);

	/* Of several reactors that come for it now, one finds the time unchanged. */
	if (failures > 0 && now_ms >= retry_at_ms &&
	    atomic_compare_exchange_strong(&health->retry_at_ms, &retry_at_ms,
					   now_ms + pause_ms(failures + 1)))
		(void)atomic_compare_exchange_strong(&health->failures, &failures, failures + 1);
}

bool upstream_at_fault(int error)
{
	return error != -EMFILE && error != -ENFILE && error != -ENOMEM && error != -ENOBUFS;
}

void upstream_failed(struct upstream *upstream, int error, uint64_t now_ms)
{
	unsigned none = 0;

	if (!atomic_compare_exchange_strong(&upstream->health->failures, &none, 1))
		return;
	atomic_store(&upstream->health->failed_ms, now_ms);
	atomic_store(&upstream->health->retry_at_ms, now_ms + pause_ms(1));
	log_warning("proxy: upstream %s does not answer: %s", upstream->health->text,
		    strerror(-error));
}

void upstream_answered(struct upstream *upstream)
{
	if (atomic_load(&upstream->health->failures) > 0 &&
	    atomic_exchange(&upstream->health->failures, 0) > 0)
		log_notice("proxy: upstream %s answers again", upstream->health->text);
}
