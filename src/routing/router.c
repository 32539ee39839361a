#include "router.h"

#include "access.h"
#include "keepalive.h"
#include "support/log.h"
#include "support/proxy_protocol.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct router {
	struct adopt_factory base;
	const struct router_settings *settings;
	struct host *host;
	struct router_route *routes; /* and behind the last, the port's own handler */
	size_t route_count;
	struct gate *gate;
	struct sight sight; /* of whoever is looked at */
	uint8_t bytes[RECOGNISE_MAX_BYTES];
};

/* What is known of a client while it is looked at. */
struct looking {
	struct adopt_timer *patience;     /* the sniff timeout, while it runs */
	const struct router_route *asker; /* who needs more bytes; those before it say no */
	uint32_t needed;                  /* fewer than these decide nothing */
	bool header_due;                  /* a PROXY header must come first */
};

/* And from when a handler has it. */
struct handled {
	struct adopt_transport *transport;
	const struct router_route *route;
};

/* A client from its first moment on. Its protocol until a handler has it, which is when
 * its own transport becomes NULL; then what counts it, until it is gone. */
struct arrival {
	struct adopt_protocol base;
	struct adopt_attachment attachment;
	struct roll_entry entry;
	struct router *router;
	struct gate_ticket ticket;
	struct access *access; /* NULL where nobody asks */
	union {
		struct looking looking;
		struct handled handled;
	};
};

static struct arrival *from_attachment(struct adopt_attachment *attachment)
{
	return (struct arrival *)((char *)attachment - offsetof(struct arrival, attachment));
}

static struct arrival *from_entry(struct roll_entry *entry)
{
	return (struct arrival *)((char *)entry - offsetof(struct arrival, entry));
}

/* Returns a route's number as people count: 0 is the port's own handler. */
static size_t route_number(const struct router *router, const struct router_route *route)
{
	size_t index = (size_t)(route - router->routes);

	return index < router->route_count ? index + 1 : 0;
}

static const char *peer_text(struct adopt_transport *transport, char text[ADOPT_ADDRESS_TEXT_SIZE])
{
	struct adopt_address peer = {0};

	adopt_transport_peer(transport, &peer);
	return adopt_address_format(&peer, text, ADOPT_ADDRESS_TEXT_SIZE);
}

static void refuse(struct arrival *arrival, const char *why)
{
	char text[ADOPT_ADDRESS_TEXT_SIZE];

	access_refused(arrival->access);
	log_debug("port \"%s\": %s: %s", arrival->router->settings->port_name,
		  peer_text(arrival->base.transport, text), why);
	adopt_transport_abort(arrival->base.transport);
}

/* The connection is the handler's from here on. */
static void hand_over(struct arrival *arrival, const struct router_route *route)
{
	struct adopt_transport *transport = arrival->base.transport;
	struct adopt_protocol *protocol;
	struct adopt_address peer = {0};

	adopt_timer_free(&arrival->looking.patience);
	adopt_transport_peer(transport, &peer);
	access_handled(arrival->access, route_number(arrival->router, route), route->handler);
	protocol = route->factory->ops->build_protocol(route->factory, &peer);
	if (!protocol) {
		refuse(arrival, "the handler will not have it");
		return;
	}
	arrival->handled = (struct handled){transport, route};
	adopt_transport_hand_to(transport, protocol);
}

/* Where more bytes are needed than there is room for, no number of them decides. */
static void await_bytes(struct looking *looking, size_t needed)
{
	looking->needed = needed <= UINT32_MAX ? (uint32_t)needed : UINT32_MAX;
}

/*
 * Finds the first route that takes the client; the port's own handler where none can.
 * Returns it, or NULL while the first that still can needs more bytes.
 * final: whether no more will come.
 */
static const struct router_route *choose(struct arrival *arrival, const uint8_t *bytes,
					 size_t length, bool final)
{
	struct router *router = arrival->router;
	const struct router_route *own = &router->routes[router->route_count];
	struct looking *looking = &arrival->looking;
	const struct router_route *route = looking->asker ? looking->asker : router->routes;
	char text[ADOPT_ADDRESS_TEXT_SIZE];
	size_t needed;

	sight_client(&router->sight, arrival->base.transport, bytes, length);
	for (; route < own; route++) {
		router->sight.bytes_only = route == looking->asker;
		switch (conditions_judge(route->conditions, &router->sight, &needed)) {
		case VERDICT_MATCH:
			log_debug("port \"%s\": %s takes route %zu", router->settings->port_name,
				  peer_text(arrival->base.transport, text),
				  (size_t)(route - router->routes) + 1);
			return route;
		case VERDICT_MORE:
			looking->asker = route;
			await_bytes(looking, needed);
			return !final && needed <= sizeof router->bytes ? NULL : own;
		case VERDICT_NO:
			break;
		}
	}
	return own;
}

static bool admit(struct arrival *arrival)
{
	struct adopt_address peer = {0};

	adopt_transport_peer(arrival->base.transport, &peer);
	if (gate_admit(&arrival->ticket, &peer) == 0)
		return true;
	access_refused(arrival->access);
	adopt_transport_abort(arrival->base.transport);
	return false;
}

/* Takes a PROXY header, exactly its own bytes: ret_length. Returns whether routing may go
 * on. */
static bool take_header(struct arrival *arrival, size_t length, bool final, size_t *ret_length)
{
	struct proxy_protocol_header header;
	size_t needed;

	switch (proxy_protocol_read(arrival->router->bytes, length, &header, &needed)) {
	case VERDICT_MATCH:
		break;
	case VERDICT_MORE:
		await_bytes(&arrival->looking, needed);
		if (final)
			refuse(arrival, "it ended before its PROXY header did");
		return false;
	case VERDICT_NO:
		refuse(arrival, "it must open with a PROXY header, and has not");
		return false;
	}
	if (adopt_transport_skip(arrival->base.transport, header.length) < 0) {
		refuse(arrival, "its PROXY header cannot be taken");
		return false;
	}
	arrival->looking.header_due = false;
	arrival->looking.needed = 1;
	if (!header.local) {
		if (adopt_transport_set_peer(arrival->base.transport, &header.source) < 0) {
			refuse(arrival, "no memory");
			return false;
		}
		access_set_peer(arrival->access, &header.source);
	}
	*ret_length = header.length;
	return admit(arrival);
}

/* Looks at what waits: a header first, then for the routes. */
static void waiting(struct adopt_protocol *protocol)
{
	struct arrival *arrival = (struct arrival *)protocol;
	uint8_t *bytes = arrival->router->bytes;
	const struct router_route *route;
	size_t length, header = 0;
	bool ended;

	if (adopt_transport_peek(protocol->transport, bytes, RECOGNISE_MAX_BYTES, &length, &ended) <
		    0 ||
	    (length < arrival->looking.needed && !ended))
		return;
	if (arrival->looking.header_due && !take_header(arrival, length, ended, &header))
		return;
	/* Behind a header, more may wait than there was room for. */
	if (header > 0 && length == RECOGNISE_MAX_BYTES) {
		header = 0;
		if (adopt_transport_peek(protocol->transport, bytes, RECOGNISE_MAX_BYTES, &length,
					 &ended) < 0)
			return;
	}
	/* Even without a byte behind the header, a route may be clear. */
	route = choose(arrival, bytes + header, length - header, ended);
	if (route)
		hand_over(arrival, route);
}

static void out_of_patience(void *context)
{
	struct arrival *arrival = context;

	if (arrival->looking.header_due)
		refuse(arrival, "its PROXY header did not come in time");
	else
		hand_over(arrival, &arrival->router->routes[arrival->router->route_count]);
}

static void no_data(struct adopt_protocol *protocol, const void *data, size_t length)
{
	(void)protocol;
	(void)data;
	(void)length;
}

/* Its attachment is told next, and frees it. */
static void lost(struct adopt_protocol *protocol, int error)
{
	struct arrival *arrival = (struct arrival *)protocol;

	(void)error;
	adopt_timer_free(&arrival->looking.patience);
}

static void ended(struct adopt_attachment *attachment, const struct adopt_end *end)
{
	struct arrival *arrival = from_attachment(attachment);

	(void)end;
	gate_end(&arrival->ticket);
	host_leave(arrival->router->host, &arrival->entry);
	host_work_end(arrival->router->host);
	free(arrival);
}

static struct adopt_transport *transport_of(const struct arrival *arrival)
{
	return arrival->base.transport ? arrival->base.transport : arrival->handled.transport;
}

static void look(struct roll_entry *entry, struct roll_sight *ret)
{
	const struct arrival *arrival = from_entry(entry);
	struct adopt_transport *transport = transport_of(arrival);
	const struct router_route *route = arrival->base.transport ? NULL : arrival->handled.route;

	*ret = (struct roll_sight){
		.kind = adopt_transport_type(transport) == SOCK_SEQPACKET ? "seqpacket" : "stream",
		.port = arrival->router->settings->port_name,
		.route = route ? route_number(arrival->router, route) : 0,
		.handler = route ? route->handler : NULL,
		.note = adopt_transport_note(transport),
	};
	adopt_transport_peer(transport, &ret->peer);
	adopt_transport_bytes(transport, &ret->received, &ret->sent);
}

static void abort_entry(struct roll_entry *entry)
{
	adopt_transport_abort(transport_of(from_entry(entry)));
}

static const struct roll_ops roll_ops = {.look = look, .abort = abort_entry};

static bool needs_header(const struct router_settings *settings, struct adopt_transport *transport)
{
	struct adopt_address peer;

	if (settings->proxy_count == 0)
		return false;
	adopt_transport_peer(transport, &peer);
	for (size_t i = 0; i < settings->proxy_count; i++)
		if (network_contains(&settings->proxies[i], &peer))
			return true;
	return false;
}

static int set_up(struct arrival *arrival)
{
	const struct router_settings *settings = arrival->router->settings;
	struct adopt_transport *transport = arrival->base.transport;

	keepalive_set(transport, settings->keepalive_ms);
	return adopt_transport_set_idle_timeout(transport, settings->idle_timeout_ms);
}

static int begin_patience(struct arrival *arrival)
{
	uint64_t timeout_ms = arrival->router->settings->sniff_timeout_ms;
	int error = 0;

	if (timeout_ms == 0)
		return 0;
	error = adopt_timer_new(arrival->router->host->reactor, out_of_patience, arrival,
				&arrival->looking.patience);
	if (error == 0)
		adopt_timer_start(arrival->looking.patience, timeout_ms);
	return error;
}

static void made(struct adopt_protocol *protocol)
{
	struct arrival *arrival = (struct arrival *)protocol;
	struct router *router = arrival->router;
	const struct router_route *route;

	adopt_transport_attach(protocol->transport, &arrival->attachment);
	host_work_begin(router->host);
	host_enter(router->host, &arrival->entry);
	if (router->settings->access_log)
		arrival->access = access_begin(protocol->transport, router->settings->port_name);
	gate_begin(router->gate, &arrival->ticket);
	arrival->looking.header_due = needs_header(router->settings, protocol->transport);
	arrival->looking.needed = 1;
	if (set_up(arrival) < 0) {
		refuse(arrival, "no memory");
		return;
	}
	if (!arrival->looking.header_due && !admit(arrival))
		return;
	if (!arrival->looking.header_due) {
		/* Where the first route that can match needs no bytes, none are awaited. */
		route = choose(arrival, router->bytes, 0, false);
		if (route) {
			hand_over(arrival, route);
			return;
		}
	}
	if (begin_patience(arrival) < 0)
		refuse(arrival, "no memory");
	else
		waiting(protocol);
}

static const struct adopt_protocol_ops arrival_ops = {
	.connection_made = made,
	.data_received = no_data,
	.waiting = waiting,
	.connection_lost = lost,
};

static struct adopt_protocol *build_protocol(struct adopt_factory *base,
					     const struct adopt_address *peer)
{
	struct arrival *arrival = malloc(sizeof *arrival);

	(void)peer;
	if (!arrival)
		return NULL;
	*arrival = (struct arrival){
		.base = {.ops = &arrival_ops},
		.attachment = {.ended = ended},
		.entry = {.ops = &roll_ops},
		.router = (struct router *)base,
	};
	return &arrival->base;
}

static void stop_factory(struct adopt_factory *factory)
{
	if (factory->ops->stop)
		factory->ops->stop(factory);
}

/* The first port comes. The factories behind the router have its ports as theirs. */
static int start(struct adopt_factory *base)
{
	struct router *router = (struct router *)base;
	int error = 0;
	size_t i;

	for (i = 0; i <= router->route_count; i++) {
		struct adopt_factory *factory = router->routes[i].factory;

		error = factory->ops->start ? factory->ops->start(factory) : 0;
		if (error < 0)
			goto out;
	}
	gate_open(router->gate);
	return 0;
out:
	while (i-- > 0)
		stop_factory(router->routes[i].factory);
	return error;
}

/* The last port has gone. */
static void stop(struct adopt_factory *base)
{
	struct router *router = (struct router *)base;

	host_remove_ports(router->host);
	gate_close(router->gate);
	for (size_t i = 0; i <= router->route_count; i++)
		stop_factory(router->routes[i].factory);
}

static const struct adopt_factory_ops factory_ops = {
	.start = start,
	.stop = stop,
	.build_protocol = build_protocol,
};

int router_new(const struct router_settings *settings, const struct router_route *routes,
	       size_t route_count, struct host *host, struct ledger *ledger, struct router **ret)
{
	struct router *router = calloc(1, sizeof *router);
	int error = -ENOMEM;

	if (!router)
		return error;
	router->base.ops = &factory_ops;
	router->settings = settings;
	router->host = host;
	router->route_count = route_count;
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

void router_free(struct router **gone)
{
	struct router *router = *gone;

	*gone = NULL;
	if (!router)
		return;
	gate_free(&router->gate);
	free(router->routes);
	free(router);
}

struct adopt_factory *router_factory(struct router *router)
{
	return &router->base;
}
