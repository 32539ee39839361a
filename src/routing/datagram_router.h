/*
 * datagram_router.h - from a client's first datagram to its handler
 *
 * A router stands in front of a datagram port that has routes or limits: it is that
 * port's protocol. A client's first datagram chooses its route; what follows from the
 * same address to the same one goes there too, until it has been silent for a while, and
 * as long as the handler there has a session of it.
 */
#ifndef ROUTING_DATAGRAM_ROUTER_H
#define ROUTING_DATAGRAM_ROUTER_H

#include "router.h"

/* One route: who fulfils the conditions goes to the protocol. */
struct datagram_route {
	const struct conditions *conditions;
	struct adopt_datagram_protocol *protocol;
	/* Tells whether a datagram is of a session that the protocol has; NULL: it has none. */
	bool (*known)(struct adopt_datagram_protocol *protocol,
		      const struct adopt_datagram *datagram);
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
 * routes: tried in order, route_count of them; behind the last the port's own handler,
 * without conditions, for whom no route takes. Copied; what they hold outlives the router.
 * host, ledger: as for router_new().
 * ret: free with datagram_router_free(), after its port has stopped.
 * Returns 0 or -ENOMEM.
 */
int datagram_router_new(const struct router_settings *settings, const struct datagram_route *routes,
			size_t route_count, struct host *host, struct ledger *ledger,
			struct datagram_router **ret);

/* Frees a router and sets it NULL; NULL inside is harmless. */
void datagram_router_free(struct datagram_router **router);

/* Returns what to adopt the port with. */
struct adopt_datagram_protocol *datagram_router_protocol(struct datagram_router *router);

#endif
