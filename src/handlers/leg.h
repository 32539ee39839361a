/* leg.h - the way of one datagram session to its upstream: a connected socket of its own,
 * so that nobody else can answer */
#ifndef HANDLERS_LEG_H
#define HANDLERS_LEG_H

#include "upstream.h"

struct leg;

/* Whose leg it is. Both may free the leg. */
struct leg_owner {
	/* The upstream has sent a datagram. data: gone when it returns. */
	void (*answered)(struct leg_owner *owner, const void *data, size_t length);
	/* The upstream is not there: what was sent last is lost, and so will be the rest. */
	void (*refused)(struct leg_owner *owner);
};

/*
 * Makes a leg: a client of the upstream's, until it ends.
 * upstream: a reference is taken.
 * ret: free with leg_free().
 * Returns 0, -ENOMEM, or a negative errno from socket() or connect().
 */
int leg_new(struct adopt_reactor *reactor, struct upstream *upstream, struct leg_owner *owner,
	    struct leg **ret);

/*
 * Sends one datagram. After a failure that is the upstream's the leg is dead.
 * Returns 0, or what adopt_port_send() returns.
 */
int leg_send(struct leg *leg, const void *data, size_t length);

/* Tells whether nothing can be sent: the upstream is not there, or its reactor has ended. */
bool leg_dead(const struct leg *leg);

/* Returns the upstream that it goes to, which stays the leg's. */
const struct upstream *leg_upstream(const struct leg *leg);

/* Sets it NULL; NULL inside is harmless. */
void leg_free(struct leg **leg);

#endif
