/*
 * elders.h - adoptds that have handed over, as long as they drain
 *
 * A supervisor that knows the newest process only would take its end for that of all, and
 * end what the others have in hand: so that one, if it is to end, waits for them.
 */
#ifndef DAEMON_ELDERS_H
#define DAEMON_ELDERS_H

#include "adopt/adopt.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

struct elders;

struct elders_ops {
	/* The last one has ended. */
	void (*gone)(struct elders *elders);
};

/* Initialize with the first two, and LIST_INIT() the list. */
struct elders {
	const struct elders_ops *ops;
	struct adopt_reactor *reactor;
	LIST_HEAD(elder_list, elder) list;
};

/* One of them. */
struct elder {
	struct adopt_watcher watcher; /* first; of a socket that is at its end when it has ended */
	struct elders *elders;
	LIST_ENTRY(elder) link;
};

/* Begins to watch one. fd: taken over on success. Returns 0 or a negative errno. */
int elders_add(struct elders *elders, int fd);

/* Watches them no more. Harmless where there are none. */
void elders_forget(struct elders *elders);

/* Returns how many there are. */
size_t elders_count(const struct elders *elders);

static inline bool elders_are_there(const struct elders *elders)
{
	return !LIST_EMPTY(&elders->list);
}

#endif
