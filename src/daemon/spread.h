/*
 * spread.h - clients go to the worker that has the fewest
 *
 * Workers that share a listening socket all accept from it, and the quickest would get
 * the most. So one that is ahead passes on what it has accepted.
 */
#ifndef DAEMON_SPREAD_H
#define DAEMON_SPREAD_H

#include "support/host.h"

#include <stdatomic.h>

/* What one worker tells the others. */
struct spread_load {
	struct adopt_reactor *reactor; /* the worker's */
	atomic_size_t connections;     /* how many it has */
	atomic_size_t coming;          /* spread.c's: how many are passed to it right now */
	/*
	 * Finds a port block's factory in the worker, in its thread, where the block is
	 * still the one that is meant.
	 * Returns it, or NULL.
	 */
	struct adopt_factory *(*find)(void *context, const void *block);
	void *context;
};

/* All workers that share. Made and freed by who makes the workers. */
struct spread {
	struct spread_load *loads;
	unsigned count;
	unsigned self; /* this worker */
};

/* The factory of one block's shared ports in one worker: in front of the block's own. */
struct spread_front {
	struct adopt_factory base;
	struct spread *spread;
	struct host *host;
	struct adopt_factory *behind;
	const void *block; /* as in find() */
};

/* Begins a front; both outlive it. block: what the other workers know the block by. */
void spread_front_init(struct spread_front *front, struct spread *spread, struct host *host,
		       const void *block);

/* Puts the front before a factory. Returns what to adopt the ports with. */
struct adopt_factory *spread_front_factory(struct spread_front *front,
					   struct adopt_factory *behind);

#endif
