#include "block.h"

#include "routing/datagram_router.h"

#include <errno.h>
#include <stdlib.h>

void block_init(struct block *block, const struct config_port *port, struct adopt_reactor *reactor,
		struct ledger *ledger, void (*busy)(struct host *host, bool busy))
{
	*block = (struct block){.port = port, .ledger = ledger};
	host_init(&block->host, reactor, busy);
}

static void free_factory(const struct handler *handler, struct adopt_factory *factory)
{
	if (factory)
		handler->stream_free(factory);
}

void block_done(struct block *block)
{
	const struct config_port *port = block->port;

	router_free(&block->router);
	free_factory(port->handler, block->own);
	for (size_t i = 0; block->factory && i < port->route_count; i++)
		free_factory(port->routes[i].handler, block->factory[i]);
	free(block->factory);
	host_done(&block->host);
}

static int new_factory(struct block *block, const struct handler *handler,
		       const struct handler_settings *settings, struct adopt_factory **ret)
{
	return handler->stream_new ? handler->stream_new(settings, &block->host, ret)
				   : -ESOCKTNOSUPPORT;
}

static int new_router(struct block *block)
{
	const struct config_port *port = block->port;
	struct router_route *routes = calloc(port->route_count + 1, sizeof *routes);
	int error = 0;

	block->factory = calloc(port->route_count + 1, sizeof *block->factory);
	if (!routes || !block->factory)
		error = -ENOMEM;
	for (size_t i = 0; error == 0 && i < port->route_count; i++) {
		error = new_factory(block, port->routes[i].handler, port->routes[i].settings,
				    &block->factory[i]);
		routes[i] = (struct router_route){
			.conditions = port->routes[i].conditions,
			.factory = block->factory[i],
			.handler = port->routes[i].handler->name,
		};
	}
	if (error == 0) {
		routes[port->route_count] = (struct router_route){
			.factory = block->own,
			.handler = port->handler->name,
		};
		error = router_new(&port->router, routes, port->route_count, &block->host,
				   block->ledger, &block->router);
	}
	free(routes);
	return error;
}

int block_factory(struct block *block, struct adopt_factory **ret)
{
	const struct config_port *port = block->port;
	int error = 0;

	if (!block->own)
		error = new_factory(block, port->handler, port->settings, &block->own);
	if (error == 0 && !block->router)
		error = new_router(block);
	if (error < 0)
		return error;
	*ret = router_factory(block->router);
	return 0;
}

static int new_protocol(struct block *block, const struct handler *handler,
			const struct handler_settings *settings,
			struct adopt_datagram_protocol **ret)
{
	return handler->datagram_new ? handler->datagram_new(settings, &block->host, ret)
				     : -ESOCKTNOSUPPORT;
}

static int new_datagram_router(struct block *block, struct block_datagrams *datagrams)
{
	const struct config_port *port = block->port;
	struct datagram_route *routes = calloc(port->route_count + 1, sizeof *routes);
	int error = 0;

	datagrams->protocol = calloc(port->route_count + 1, sizeof *datagrams->protocol);
	if (!routes || !datagrams->protocol)
		error = -ENOMEM;
	for (size_t i = 0; error == 0 && i < port->route_count; i++) {
		error = new_protocol(block, port->routes[i].handler, port->routes[i].settings,
				     &datagrams->protocol[i]);
		routes[i] = (struct datagram_route){
			.conditions = port->routes[i].conditions,
			.protocol = datagrams->protocol[i],
			.known = port->routes[i].handler->datagram_known,
		};
	}
	if (error == 0) {
		routes[port->route_count] = (struct datagram_route){
			.protocol = datagrams->own,
			.known = port->handler->datagram_known,
		};
		error = datagram_router_new(&port->router, routes, port->route_count, &block->host,
					    block->ledger, &datagrams->router);
	}
	free(routes);
	return error;
}

int block_datagrams(struct block *block, struct block_datagrams *datagrams,
		    struct adopt_datagram_protocol **ret)
{
	const struct config_port *port = block->port;
	int error;

	datagrams->block = block;
	error = new_protocol(block, port->handler, port->settings, &datagrams->own);
	if (error == 0 && (port->route_count > 0 || gate_settings_any(&port->router.gate)))
		error = new_datagram_router(block, datagrams);
	if (error < 0)
		return error;
	*ret = datagrams->router ? datagram_router_protocol(datagrams->router) : datagrams->own;
	return 0;
}

void block_datagrams_done(struct block_datagrams *datagrams)
{
	const struct config_port *port;

	if (!datagrams->block)
		return;
	port = datagrams->block->port;
	datagram_router_free(&datagrams->router);
	if (datagrams->own)
		port->handler->datagram_free(datagrams->own);
	for (size_t i = 0; datagrams->protocol && i < port->route_count; i++)
		if (datagrams->protocol[i])
			port->routes[i].handler->datagram_free(datagrams->protocol[i]);
	free(datagrams->protocol);
}

static void drain(const struct handler *handler, struct adopt_datagram_protocol *protocol)
{
	if (protocol && handler->datagram_drain)
		handler->datagram_drain(protocol);
}

void block_datagrams_drain(struct block_datagrams *datagrams)
{
	const struct config_port *port = datagrams->block->port;

	drain(port->handler, datagrams->own);
	for (size_t i = 0; datagrams->protocol && i < port->route_count; i++)
		drain(port->routes[i].handler, datagrams->protocol[i]);
}
