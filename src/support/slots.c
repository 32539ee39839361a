#include "slots.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

struct slots {
	atomic_uint references;
	pthread_mutex_t lock; /* over all below, and over the waiters' own part */
	uint64_t max;         /* 0: no limit */
	uint64_t used;
	TAILQ_HEAD(, slots_waiter) line;
};

int slots_new(uint64_t max, struct slots **ret)
{
	struct slots *slots = calloc(1, sizeof *slots);
	int error;

	if (!slots)
		return -ENOMEM;
	error = -pthread_mutex_init(&slots->lock, NULL);
	if (error < 0) {
		free(slots);
		return error;
	}
	atomic_init(&slots->references, 1);
	slots->max = max;
	TAILQ_INIT(&slots->line);
	*ret = slots;
	return 0;
}

struct slots *slots_ref(struct slots *slots)
{
	atomic_fetch_add(&slots->references, 1);
	return slots;
}

void slots_unref(struct slots **gone)
{
	struct slots *slots = *gone;

	*gone = NULL;
	if (!slots || atomic_fetch_sub(&slots->references, 1) > 1)
		return;
	assert(TAILQ_EMPTY(&slots->line));
	pthread_mutex_destroy(&slots->lock);
	free(slots);
}

static bool is_free(const struct slots *slots)
{
	return slots->max == 0 || slots->used < slots->max;
}

/* In the waiter's own thread: only here, and in slots_leave(), does it stop waiting. */
static void tell(struct adopt_call *call)
{
	struct slots_waiter *waiter =
		(struct slots_waiter *)((char *)call - offsetof(struct slots_waiter, call));

	waiter->slots = NULL;
	waiter->granted(waiter);
}

/* Under the lock. */
static void grant(struct slots *slots)
{
	struct slots_waiter *waiter;

	while ((waiter = TAILQ_FIRST(&slots->line)) && is_free(slots)) {
		TAILQ_REMOVE(&slots->line, waiter, next);
		waiter->in_line = false;
		slots->used++;
		adopt_call_from_thread(waiter->reactor, &waiter->call);
	}
}

void slots_set_max(struct slots *slots, uint64_t max)
{
	pthread_mutex_lock(&slots->lock);
	slots->max = max;
	grant(slots);
	pthread_mutex_unlock(&slots->lock);
}

bool slots_take(struct slots *slots)
{
	bool taken;

	pthread_mutex_lock(&slots->lock);
	taken = TAILQ_EMPTY(&slots->line) && is_free(slots);
	if (taken)
		slots->used++;
	pthread_mutex_unlock(&slots->lock);
	return taken;
}

void slots_take_anyway(struct slots *slots)
{
	pthread_mutex_lock(&slots->lock);
	slots->used++;
	pthread_mutex_unlock(&slots->lock);
}

void slots_give(struct slots *slots)
{
	pthread_mutex_lock(&slots->lock);
	assert(slots->used > 0);
	slots->used--;
	grant(slots);
	pthread_mutex_unlock(&slots->lock);
}

void slots_wait(struct slots *slots, struct slots_waiter *waiter)
{
	if (waiter->slots)
		return;
	pthread_mutex_lock(&slots->lock);
	waiter->slots = slots;
	waiter->in_line = true;
	waiter->call.run = tell;
	TAILQ_INSERT_TAIL(&slots->line, waiter, next);
	grant(slots);
	pthread_mutex_unlock(&slots->lock);
}

void slots_leave(struct slots_waiter *waiter)
{
	struct slots *slots = waiter->slots;

	if (!slots)
		return;
	pthread_mutex_lock(&slots->lock);
	waiter->slots = NULL;
	if (waiter->in_line) {
		TAILQ_REMOVE(&slots->line, waiter, next);
	} else {
		adopt_call_from_thread_cancel(waiter->reactor, &waiter->call);
		slots->used--;
	}
	grant(slots);
	pthread_mutex_unlock(&slots->lock);
}

uint64_t slots_used(struct slots *slots)
{
	uint64_t used;

	pthread_mutex_lock(&slots->lock);
	used = slots->used;
	pthread_mutex_unlock(&slots->lock);
	return used;
}
