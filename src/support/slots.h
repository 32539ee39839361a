/*
 * slots.h - a bounded number of slots that several threads share
 *
 * For limits that hold across workers: connections, child processes. Who finds no slot
 * free stands in line, and is called in the thread of its own reactor when one is its
 * own. Nobody overtakes the line.
 */
#ifndef SUPPORT_SLOTS_H
#define SUPPORT_SLOTS_H

#include "adopt/adopt.h"

#include <sys/queue.h>

struct slots;

/*
 * One who may have to wait. It lies in the caller's own struct. Initialize with
 * `.reactor` and `.granted`, the rest zero; leave the line before the struct or the
 * reactor goes away.
 */
struct slots_waiter {
	struct adopt_reactor *reactor;
	/* A slot is the waiter's, who gives it back some time. */
	void (*granted)(struct slots_waiter *waiter);
	/* slots.c's own: */
	struct slots *slots;    /* whose line it stands in, NULL for none */
	bool in_line;           /* else a slot is its own, and the call under way */
	struct adopt_call call; /* tells it */
	TAILQ_ENTRY(slots_waiter) next;
};

/*
 * Creates slots.
 * max: how many; 0 for no limit.
 * ret: with one reference; give it back with slots_unref().
 * Returns 0 or -ENOMEM.
 */
int slots_new(uint64_t max, struct slots **ret);

/* Takes a reference. Returns the slots. */
struct slots *slots_ref(struct slots *slots);

/* Gives a reference back and sets it NULL; NULL inside is harmless. The last frees them:
 * nobody has or awaits one then. */
void slots_unref(struct slots **slots);

/* Changes how many there are. Where fewer are left than taken, none is free until
 * enough have been given back. */
void slots_set_max(struct slots *slots, uint64_t max);

/* Takes a slot if one is free and nobody stands in line. Returns whether it did. */
bool slots_take(struct slots *slots);

/* Takes a slot whether or not one is free: for what came by a way without a limit. */
void slots_take_anyway(struct slots *slots);

/* Gives a slot back: it goes to the first in line. */
void slots_give(struct slots *slots);

/* Stands in line; granted comes later, never from inside this call. Harmless twice. */
void slots_wait(struct slots *slots, struct slots_waiter *waiter);

/* Leaves the line, in the reactor's thread; granted comes no more, and a slot that was
 * its own already goes to the next. Harmless for one that does not wait. */
void slots_leave(struct slots_waiter *waiter);

/* Returns how many are taken. */
uint64_t slots_used(struct slots *slots);

#endif
