#include "datagram_router.h"

#include "support/datagram_key.h"
#include "support/keyed_hash.h"
#include "support/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* Clients choose their addresses, so uthash is to hash with a secret of the router, which
 * each function that looks something up calls `router`. */
#define HASH_FUNCTION(keyptr, keylen, hashv)                                                       \
	((hashv) = (unsigned)keyed_hash(&router->secret, (keyptr), (keylen)))
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* Somebody who has been heard of lately. */
struct client {
	struct adopt_datagram_protocol *protocol;
	struct gate_ticket ticket;
	uint64_t heard_ms;
	TAILQ_ENTRY(client) by_silence; /* the longest silent first */
	UT_hash_handle hh;
	unsigned char key[];
};

struct datagram_router {
	struct adopt_datagram_protocol base;
	const struct router_settings *settings;
	struct adopt_reactor *reactor;
	struct datagram_route *routes; /* and behind the last, the port's own handler */
	size_t route_count;
	struct gate *gate;
	struct hash_key secret;
	struct client *clients;
	TAILQ_HEAD(client_queue, client) by_silence;
	struct sight sight;
};

static struct datagram_router *of(struct adopt_datagram_protocol *protocol)
{
	return (struct datagram_router *)protocol;
}

static void forget(struct datagram_router *router, struct client *client)
{
	HASH_DEL(router->clients, client);
	TAILQ_REMOVE(&router->by_silence, client, by_silence);
	gate_end(&client->ticket);
	free(client);
}

/* Looked at when a datagram comes: who is silent in a silent port harms nobody. */
static void forget_silent(struct datagram_router *router, uint64_t now)
{
	struct client *client;

	while ((client = TAILQ_FIRST(&router->by_silence)) &&
	       client->heard_ms + DATAGRAM_CLIENT_MS <= now)
		forget(router, client);
}

/* A session may be older than what is remembered here. */
static const struct datagram_route *find_session(const struct datagram_router *router,
						 const struct adopt_datagram *datagram)
{
	for (size_t i = 0; i <= router->route_count; i++) {
		const struct datagram_route *route = &router->routes[i];

		if (route->known && route->known(route->protocol, datagram))
			return route;
	}
	return NULL;
}

static const struct datagram_route *choose(struct datagram_router *router,
					   const struct adopt_datagram *datagram)
{
	const struct datagram_route *own = &router->routes[router->route_count];
	const struct datagram_route *route = find_session(router, datagram);
	size_t needed;

	if (route)
		return route;
	sight_datagram(&router->sight, datagram);
	for (route = router->routes; route < own; route++)
		if (conditions_judge(route->conditions, &router->sight, &needed) == VERDICT_MATCH)
			break;
	return route;
}

static struct client *welcome(struct datagram_router *router, const struct adopt_datagram *datagram,
			      const struct datagram_key *key)
{
	struct client *client = calloc(1, sizeof *client + key->length);

	if (!client)
		return NULL;
	memcpy(client->key, key->bytes, key->length);
	gate_begin_uncounted(router->gate, &client->ticket);
	if (gate_admit(&client->ticket, datagram->peer) < 0)
		goto out;
	client->protocol = choose(router, datagram)->protocol;
	HASH_ADD(hh, router->clients, key, key->length, client);
	if (!client->hh.tbl)
		goto out;
	TAILQ_INSERT_TAIL(&router->by_silence, client, by_silence);
	if (HASH_COUNT(router->clients) > DATAGRAM_CLIENTS_MAX)
		forget(router, TAILQ_FIRST(&router->by_silence));
	return client;
out:
	gate_end(&client->ticket);
	free(client);
	return NULL;
}

/* Returns who sent it, NULL where nobody may. */
static struct client *client_of(struct datagram_router *router,
				const struct adopt_datagram *datagram, uint64_t now)
{
	struct datagram_key key;
	struct client *client;

	datagram_key_make(datagram, &key);
	HASH_FIND(hh, router->clients, key.bytes, key.length, client);
	if (!client)
		client = welcome(router, datagram, &key);
	if (!client)
		return NULL;
	client->heard_ms = now;
	TAILQ_REMOVE(&router->by_silence, client, by_silence);
	TAILQ_INSERT_TAIL(&router->by_silence, client, by_silence);
	return client;
}

static void datagrams_received(struct adopt_datagram_protocol *protocol,
			       const struct adopt_datagram *datagrams, size_t count)
{
	struct datagram_router *router = of(protocol);
	uint64_t now = adopt_reactor_now_ms(router->reactor);
	size_t run;

	forget_silent(router, now);
	for (; count > 0; datagrams += run, count -= run) {
		struct client *client = client_of(router, datagrams, now);

		run = datagram_key_run(datagrams, count);
		if (client)
			adopt_datagrams_tell(client->protocol, datagrams, run);
	}
}

/* Every handler behind the router has the port, as if it were its own. */
static void lend_port(struct adopt_datagram_protocol *protocol, struct adopt_port *port)
{
	protocol->port = port;
	if (protocol->ops->start)
		protocol->ops->start(protocol);
}

static void start(struct adopt_datagram_protocol *protocol)
{
	struct datagram_router *router = of(protocol);

	for (size_t i = 0; i <= router->route_count; i++)
		lend_port(router->routes[i].protocol, protocol->port);
}

static void end_port(struct adopt_datagram_protocol *protocol)
{
	protocol->port = NULL;
	if (protocol->ops->stop)
		protocol->ops->stop(protocol);
}

static void stop(struct adopt_datagram_protocol *protocol)
{
	struct datagram_router *router = of(protocol);

	while (!TAILQ_EMPTY(&router->by_silence))
		forget(router, TAILQ_FIRST(&router->by_silence));
	for (size_t i = 0; i <= router->route_count; i++)
		end_port(router->routes[i].protocol);
}

static void tell_refused(struct adopt_datagram_protocol *protocol)
{
	if (protocol->ops->connection_refused)
		protocol->ops->connection_refused(protocol);
}

static void refused(struct adopt_datagram_protocol *protocol)
{
	struct datagram_router *router = of(protocol);

	for (size_t i = 0; i <= router->route_count; i++)
		tell_refused(router->routes[i].protocol);
}

static void failed(struct adopt_datagram_protocol *protocol, int error)
{
	log_warning("port \"%s\": receiving failed: %s", of(protocol)->settings->port_name,
		    adopt_error_text(error));
}

static const struct adopt_datagram_protocol_ops ops = {
	.start = start,
	.datagrams_received = datagrams_received,
	.connection_refused = refused,
	.failed = failed,
	.stop = stop,
};

int datagram_router_new(const struct router_settings *settings, const struct datagram_route *routes,
			size_t route_count, struct host *host, struct ledger *ledger,
			struct datagram_router **ret)
{
	struct datagram_router *router = calloc(1, sizeof *router);
	int error = -ENOMEM;

	if (!router)
		return error;
	router->base.ops = &ops;
	router->settings = settings;
	router->reactor = host->reactor;
	router->route_count = route_count;
	TAILQ_INIT(&router->by_silence);
	hash_key_init(&router->secret);
	router->routes = calloc(route_count + 1, sizeof *router->routes);
	if (!router->routes)
		goto out;
	memcpy(router->routes, routes, (route_count + 1) * sizeof *routes);
	error = gate_new(&settings->gate, settings->port_name, host, ledger, &router->gate);
	if (error < 0)
		goto out;
	*ret = router;
	return 0;
out:
	free(router->routes);
	free(router);
	return error;
}

void datagram_router_free(struct datagram_router **gone)
{
	struct datagram_router *router = *gone;

	*gone = NULL;
	if (!router)
		return;
	gate_free(&router->gate);
	free(router->routes);
	free(router);
}

struct adopt_datagram_protocol *datagram_router_protocol(struct datagram_router *router)
{
	return &router->base;
}
