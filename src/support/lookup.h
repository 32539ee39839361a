/*
 * lookup.h - a name's addresses, asked for without blocking
 *
 * On c-ares, which reads /etc/hosts, /etc/resolv.conf and the `hosts` line of
 * /etc/nsswitch.conf anew for each lookup, and asks the name servers itself.
 */
#ifndef SUPPORT_LOOKUP_H
#define SUPPORT_LOOKUP_H

#include "adopt/adopt.h"
#include "endpoint.h"

struct lookup;

/* One address that was found. */
struct lookup_address {
	struct adopt_address address;
	unsigned priority; /* RFC 2782: lower ones are used first; 0 for a host's */
	unsigned weight;   /* likewise: its share among equals, at least 1 */
};

/* What was found. */
struct lookup_answer {
	struct lookup_address *addresses; /* in the order of RFC 6724, at most LOOKUP_MAX */
	size_t count;
	uint64_t ttl_ms; /* how long it may be used */
};

/* The most addresses that are taken from one answer, and targets of one service. */
#define LOOKUP_MAX 256
#define LOOKUP_TARGETS_MAX 32

/* Loads c-ares, so that names can be looked up. Returns 0; -ENOMEM; -ENOSYS where it cannot
 * be loaded, and library_error_text() says why. */
int lookup_prepare(void);

/*
 * Begins to ask.
 * endpoint: a host or a service; copied.
 * type: SOCK_STREAM or SOCK_DGRAM.
 * servers: whom to ask, `address:port` with commas between; NULL for the system's.
 * done: called once with `context`, on a later turn of the loop, when the lookup is gone
 * already. error: 0; -EHOSTUNREACH if the name has no address; -EAGAIN if nobody could
 * say; -ENOMEM. answer: gone when the callback returns; with no address unless error is 0.
 * ret: for lookup_cancel(), valid until then.
 * Returns 0; -ENOMEM; -EAGAIN if the system's configuration cannot be read;
 * lookup_prepare()'s errors.
 */
int lookup_begin(struct adopt_reactor *reactor, const struct endpoint *endpoint, int type,
		 const char *servers,
		 void (*done)(void *context, int error, const struct lookup_answer *answer),
		 void *context, struct lookup **ret);

/* Gives up asking; done will not be called. Sets it NULL; NULL inside is harmless. */
void lookup_cancel(struct lookup **lookup);

#endif
