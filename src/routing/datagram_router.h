/*
 * datagram_router.h - from a client's first datagram to its handler
 *
 * A router stands in front of a datagram port that has routes or limits: it is that
 * port's protocol. A client's first datagram chooses its route; what follows from the
 * same address goes there too, until it has been silent for a while.
 */
#ifndef ROUTING_DATAGRAM_ROUTER_H
#define ROUTING_DATAGRAM_ROUTER_H

#include "router.h"

/* One route: who fulfils the conditions goes to the protocol. */
struct datagram_route {
	const struct conditions *conditions;
	struct adopt_datagram_protocol *protocol;
};

/* How long a client may be silent before it is a new one, and how many are remembered:
 * past it, the longest silent is forgotten. */
#define DATAGRAM_CLIENT_MS 60000
#define DATAGRAM_CLIENTS_MAX 10000

struct datagram_router;

/*
 * Creates a router for one datagram port.
 * settings: outlives the router. max-connections, and what is only for streams, is not
 * looked at.
 * routes: tried in order; copied. Conditions and protocols outlive the router.
 * fallback: the port's own handler, for whom no route takes.
 * host, ledger: as for router_new().
 * ret: free with datagram_router_free(), after its port has stopped.
 * Returns 0 or -ENOMEM.
 */
int datagram_router_new(const struct router_settings *settings, const struct datagram_route *routes,
			size_t route_count, struct adopt_datagram_protocol *fallback,
			struct host *host, struct ledger *ledger, struct datagram_router **ret);

/* Frees a router and sets it NULL; NULL inside is harmless. */
void datagram_router_free(struct datagram_router **router);

/* Returns what to adopt the port with. */
struct adopt_datagram_protocol *datagram_router_protocol(struct datagram_router *router);

#endif
