/* upstream.h - where a proxy sends its clients */
#ifndef HANDLERS_UPSTREAM_H
#define HANDLERS_UPSTREAM_H

#include "adopt/adopt.h"

/* One address, and whether it failed last. */
struct upstream {
	struct adopt_address address;
	bool down;
};

/* Addresses to try, in turn. Initialize with zeros. */
struct upstreams {
	struct upstream *items;
	size_t count;
	size_t next; /* where the next client begins: round-robin */
};

/*
 * Resolves the texts of an `upstream` option, each of which endpoint_check() has
 * found good. It may block: for the time before the loop runs.
 * type: SOCK_STREAM or SOCK_DGRAM.
 * ret: free with upstreams_free().
 * Returns 0 or a negative errno of endpoint_resolve(), which has been logged.
 */
int upstreams_resolve(char *const *texts, size_t count, int type, struct upstreams *ret);

/* Frees the addresses and empties the list. */
void upstreams_free(struct upstreams *upstreams);

/* Returns where the next client begins, and moves on. */
size_t upstreams_begin(struct upstreams *upstreams);

/* Notes how an upstream did, 0 or a negative errno; a change is logged once each way. */
void upstream_note(struct upstream *upstream, int error);

#endif
