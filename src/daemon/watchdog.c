/*
 * The supervisor's watchdog: fed as long as every worker's loop turns. Each is called, and
 * has until the next feeding to answer.
 */
#include "notify.h"
#include "server_parts.h"

#include <errno.h>
#include <stdlib.h>

/* One worker's answer. */
struct beat {
	struct adopt_call call;
	atomic_bool answered;
};

struct watchdog {
	struct worker *workers;
	unsigned count;
	struct beat *beats; /* one a worker */
	struct adopt_timer *timer;
	uint64_t interval_ms;
	bool told; /* that a worker hangs */
};

static void answer(struct adopt_call *call)
{
	atomic_store(&((struct beat *)call)->answered, true);
}

/* Returns the first worker that has not answered, or `count`. */
static unsigned first_silent(struct watchdog *watchdog)
{
	unsigned i = 0;

	while (i < watchdog->count && atomic_load(&watchdog->beats[i].answered))
		i++;
	return i;
}

static void feed(void *context)
{
	struct watchdog *watchdog = context;
	unsigned silent = first_silent(watchdog);

	if (silent < watchdog->count) {
		if (!watchdog->told)
			log_error("worker %u hangs: the watchdog is not fed", silent);
		watchdog->told = true;
	} else {
		notify_watchdog();
		watchdog->told = false;
		for (unsigned i = 0; i < watchdog->count; i++) {
			atomic_store(&watchdog->beats[i].answered, false);
			adopt_call_from_thread(watchdog->workers[i].reactor,
					       &watchdog->beats[i].call);
		}
	}
	adopt_timer_start(watchdog->timer, watchdog->interval_ms);
}

int watchdog_new(struct worker *workers, unsigned count, struct watchdog **ret)
{
	uint64_t interval_ms = notify_watchdog_interval_ms();
	struct watchdog *watchdog;
	int error;

	if (interval_ms == 0)
		return 0;
	watchdog = calloc(1, sizeof *watchdog);
	if (!watchdog)
		return -ENOMEM;
	watchdog->workers = workers;
	watchdog->count = count;
	watchdog->interval_ms = interval_ms / 3 + 1;
	watchdog->beats = calloc(count, sizeof *watchdog->beats);
	error = watchdog->beats
			? adopt_timer_new(workers[0].reactor, feed, watchdog, &watchdog->timer)
			: -ENOMEM;
	if (error < 0) {
		watchdog_free(&watchdog);
		return error;
	}
	for (unsigned i = 0; i < count; i++) {
		watchdog->beats[i].call.run = answer;
		atomic_init(&watchdog->beats[i].answered, true);
	}
	adopt_timer_start(watchdog->timer, watchdog->interval_ms);
	*ret = watchdog;
	return 0;
}

void watchdog_stop(struct watchdog *watchdog)
{
	if (watchdog)
		adopt_timer_free(&watchdog->timer);
}

void watchdog_free(struct watchdog **watchdog)
{
	if (!*watchdog)
		return;
	watchdog_stop(*watchdog);
	free((*watchdog)->beats);
	free(*watchdog);
	*watchdog = NULL;
}
