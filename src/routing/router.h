/*
 * router.h - from an accepted connection to the factory of its handler
 *
 * A router stands in front of each stream port: it is that port's factory. It keeps
 * account of the clients from their first moment to their end. Where routes or a PROXY
 * header ask for it, it looks at a client's first bytes where they wait, and takes none
 * of them (the header excepted). It hands the connection over to the protocol that the
 * chosen route's factory builds.
 */
#ifndef ROUTING_ROUTER_H
#define ROUTING_ROUTER_H

#include "adopt/adopt.h"
#include "condition.h"
#include "gate.h"
#include "network.h"

/* One route: who fulfils the conditions goes to the factory. */
struct router_route {
	const struct conditions *conditions;
	struct adopt_factory *factory;
	const char *handler; /* the name of whose factory it is, for the log */
};

/* What a port block says of its clients' first moments. Times are in milliseconds, 0
 * meaning never. */
struct router_settings {
	const char *port_name; /* for the log */
	struct gate_settings gate;
	struct network *proxies; /* whose connections open with a PROXY header */
	size_t proxy_count;
	uint64_t sniff_timeout_ms;
	uint64_t idle_timeout_ms;
	uint64_t keepalive_ms;
	bool access_log; /* not the port block's own: set by who reads the globals */
};

/* The options of a port block that a router reads, besides gate_options; ended by
 * CFG_END(). */
extern const cfg_opt_t router_options[];

/*
 * Reads a port block's router_options and gate_options. Adds an error for everything
 * that is wrong, at the option's line.
 * ret: end it with router_settings_done().
 * Returns 0; -EINVAL where faults were added; -ENOMEM.
 */
int router_settings_read(cfg_t *port, struct faults *faults, struct router_settings *ret);
void router_settings_done(struct router_settings *settings);

struct router;

/*
 * Creates a router.
 * settings: outlives the router.
 * routes: tried in order, route_count of them; behind the last the port's own handler,
 * without conditions, for whom no route takes. Copied; what they hold outlives the router.
 * host: outlives the router; each connection is work of its.
 * ledger: the port block's, with its limits; outlives the router.
 * ret: free with router_free(), after the last connection.
 * Returns 0 or -ENOMEM.
 */
int router_new(const struct router_settings *settings, const struct router_route *routes,
	       size_t route_count, struct host *host, struct ledger *ledger, struct router **ret);

/* Frees a router and sets it NULL; NULL inside is harmless. */
void router_free(struct router **router);

/* Returns what to adopt stream ports and connections with. */
struct adopt_factory *router_factory(struct router *router);

#endif
