/* upstreams.h - the servers of one proxy block: found, found again when their names'
 * time is over, chosen from */
#ifndef HANDLERS_UPSTREAMS_H
#define HANDLERS_UPSTREAMS_H

#include "balance.h"
#include "support/endpoint.h"

#include <sys/queue.h>

struct upstreams;

struct upstreams_settings {
	const struct endpoint *endpoints; /* to outlive the upstreams */
	size_t count;                     /* at least 1 */
	enum balance balance;
	int type;                   /* SOCK_STREAM or SOCK_DGRAM */
	struct health_book *health; /* to outlive them too */
	const char *servers;        /* the name servers, as in lookup.h */
};

/* Who waits for names. Initialize with `.found`, the rest zero. */
struct upstreams_waiter {
	void (*found)(struct upstreams_waiter *waiter);
	LIST_ENTRY(upstreams_waiter) link; /* upstreams.c's */
	bool waiting;                      /* likewise */
};

/*
 * Makes the upstreams. No name is asked for yet: that is for the first client.
 * ret: free with upstreams_free(), which frees all that the resolver still does.
 * Returns 0 or -ENOMEM.
 */
int upstreams_new(struct adopt_reactor *reactor, const struct upstreams_settings *settings,
		  struct upstreams **ret);
void upstreams_free(struct upstreams **upstreams);

/* Gives up what the resolver does: to be called when the last client has gone, and so
 * before the reactor goes. */
void upstreams_stop(struct upstreams *upstreams);

/*
 * Asks anew for each name whose time is over, and tells whether to choose now. Names
 * whose time is over twice are waited for; others are used while the answer comes.
 * waiter: `found` is called, on a later turn, when there is nothing to wait for any more.
 * Returns true, or false where the waiter waits.
 */
bool upstreams_ready(struct upstreams *upstreams, struct upstreams_waiter *waiter);

/* Takes a waiter back; harmless for one that does not wait. */
void upstreams_leave(struct upstreams_waiter *waiter);

/* Chooses as balance_choose() does, among `upstreams`. */
struct upstream *upstreams_choose(struct upstreams *upstreams, const struct balance_client *client);

/* Returns how many upstreams there are now; perhaps none, where names are not found. */
size_t upstreams_count(const struct upstreams *upstreams);

#endif
