/* leg.h - the way of one datagram session to its upstream: a connected socket of its own,
 * so that nobody else can answer */
#ifndef HANDLERS_LEG_H
#define HANDLERS_LEG_H

#include "upstream.h"

struct leg;

/* Whose leg it is. Both may free the leg. */
struct leg_owner {
	/* The upstream has sent datagrams: 1 to ADOPT_DATAGRAMS_MAX, gone when it returns. */
	void (*answered)(struct leg_owner *owner, const struct adopt_datagram *datagrams,
			 size_t count);
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
 * Sends datagrams. After a failure that is the upstream's the leg is dead.
 * Returns what adopt_port_send_several() returns.
 */
int leg_send(struct leg *leg, const struct adopt_datagram *datagrams, size_t count);

/* Tells whether nothing can be sent: the upstream is not there, or its reactor has ended. */
bool leg_dead(const struct leg *leg);

/* Returns the upstream that it goes to, which stays the leg's. */
const struct upstream *leg_upstream(const struct leg *leg);

/* Sets it NULL; NULL inside is harmless. */
void leg_free(struct leg **leg);

#endif
