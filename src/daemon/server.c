#include "server.h"

#include "block.h"
#include "notify.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One descriptor of the plan, served. */
struct served {
	const struct plan_entry *entry;
	struct adopt_port *port; /* NULL for a connection */
	struct block_datagrams datagrams;
};

struct server {
	struct adopt_observer observer;
	struct adopt_reactor *reactor;
	const struct config *config;
	struct ledger **ledgers; /* the port blocks', in their order */
	struct block *blocks;    /* the port blocks, in their order */
	struct served *served;
	size_t served_count;
	struct adopt_signal *signals[5];
};

static struct server *from_observer(struct adopt_observer *observer)
{
	return (struct server *)observer;
}

static const char *port_name(const struct server *server, const struct adopt_port *port)
{
	for (size_t i = 0; i < server->served_count; i++)
		if (server->served[i].port == port)
			return server->served[i].entry->port->name;
	return "?";
}

static void accept_trouble(struct adopt_observer *observer, struct adopt_port *port, int error)
{
	const char *name = port_name(from_observer(observer), port);

	if (error == -EMFILE)
		log_warning("port \"%s\": no descriptor is left: new clients are turned away",
			    name);
	else if (error)
		log_warning("port \"%s\": cannot accept: %s", name, adopt_error_text(error));
	else
		log_notice("port \"%s\": accepts again", name);
}

/* Nothing is left to do, and nothing will come: an Accept=yes or inetd instance
 * has done its work. */
static void stop_if_done(struct server *server)
{
	if (adopt_reactor_port_count(server->reactor) == 0 &&
	    adopt_reactor_connection_count(server->reactor) == 0)
		adopt_reactor_stop(server->reactor);
}

static void port_stopped(struct adopt_observer *observer)
{
	stop_if_done(from_observer(observer));
}

static void connection_ended(struct adopt_observer *observer, int error)
{
	(void)error;
	stop_if_done(from_observer(observer));
}

static const struct adopt_observer_ops observer_ops = {
	.accept_trouble = accept_trouble,
	.connection_ended = connection_ended,
	.port_stopped = port_stopped,
};

static void end_asked(void *context)
{
	struct server *server = context;

	log_info("stopping");
	adopt_reactor_stop(server->reactor);
}

static void status_asked(void *context)
{
	const struct server *server = context;

	log_info("status: %zu ports, %zu connections", adopt_reactor_port_count(server->reactor),
		 adopt_reactor_connection_count(server->reactor));
}

static void reload_asked(void *context)
{
	(void)context;
	log_warning("SIGHUP: reloading is not supported yet; restart instead");
}

static void hand_over_asked(void *context)
{
	(void)context;
	log_warning("SIGUSR2: handing over is not supported yet; restart instead");
}

static int watch_signals(struct server *server)
{
	static const struct {
		int number;
		void (*received)(void *context);
	} signals[] = {
		{SIGTERM, end_asked},    {SIGINT, end_asked},        {SIGHUP, reload_asked},
		{SIGUSR1, status_asked}, {SIGUSR2, hand_over_asked},
	};
	int error = 0;

	/* Where the library cannot tell the system so call by call. */
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0] && error == 0; i++)
		error = adopt_signal_new(server->reactor, signals[i].number, signals[i].received,
					 server, &server->signals[i]);
	return error;
}

static struct block *block_of(const struct server *server, const struct served *served)
{
	return &server->blocks[served->entry->port - server->config->ports];
}

static int adopt_stream(struct server *server, struct served *served)
{
	const struct plan_entry *entry = served->entry;
	struct block *block = block_of(server, served);
	struct adopt_factory *factory;
	int error = block_factory(block, &factory);

	if (error < 0)
		return error;
	if (entry->role == PLAN_STREAM_CONNECTION)
		return adopt_stream_connection(server->reactor, entry->fd, entry->kind.family,
					       factory);
	error = adopt_stream_port(server->reactor, entry->fd, entry->kind.family, factory,
				  &served->port);
	return error < 0 ? error : host_add_port(&block->host, served->port);
}

static int adopt_datagrams(struct server *server, struct served *served)
{
	const struct plan_entry *entry = served->entry;
	struct adopt_datagram_protocol *protocol;
	int error = block_datagrams(block_of(server, served), &served->datagrams, &protocol);

	if (error < 0)
		return error;
	return adopt_datagram_port(server->reactor, entry->fd, entry->kind.family, protocol,
				   entry->port->max_packet_size, &served->port);
}

static void log_served(const struct served *served)
{
	const struct plan_entry *entry = served->entry;
	char text[ADOPT_ADDRESS_TEXT_SIZE] = "a connection";
	struct adopt_address local;

	if (served->port && adopt_port_local(served->port, &local) == 0)
		adopt_address_format(&local, text, sizeof text);
	log_info("port \"%s\": %s on %s%s, from %s", entry->port->name, entry->port->handler->name,
		 text, entry->role == PLAN_DATAGRAM_PORT ? " (datagrams)" : "", entry->source);
}

static int serve_entry(struct server *server, const struct plan_entry *entry,
		       struct inherited_list *list)
{
	struct served *served = &server->served[server->served_count++];
	int error;

	served->entry = entry;
	error = entry->role == PLAN_DATAGRAM_PORT ? adopt_datagrams(server, served)
						  : adopt_stream(server, served);
	/* A client that has left, or that the handler will not have, is no fault. */
	if (entry->role == PLAN_STREAM_CONNECTION &&
	    (error == -ENOTCONN || error == -ECONNABORTED)) {
		log_info("port \"%s\": the connection is gone: %s", entry->port->name,
			 adopt_error_text(error));
		error = 0;
	} else if (error < 0) {
		log_error("port \"%s\": descriptor %d cannot be served: %s", entry->port->name,
			  entry->fd, adopt_error_text(error));
	} else {
		log_served(served);
	}
	if (entry->role == PLAN_STREAM_CONNECTION)
		inherited_drop(list, entry->fd);
	return error;
}

static int new_block(struct server *server, size_t index)
{
	const struct config_port *port = &server->config->ports[index];
	int error = ledger_new(&server->ledgers[index]);

	if (error < 0)
		return error;
	block_init(&server->blocks[index], port, server->reactor, server->ledgers[index], NULL);
	return ledger_set_limits(server->ledgers[index], &port->router.gate);
}

int server_new(const struct config *config, const struct plan *plan, struct inherited_list *list,
	       struct server **ret)
{
	struct server *server = calloc(1, sizeof *server);
	int error = -ENOMEM;

	if (!server)
		return error;
	server->observer.ops = &observer_ops;
	server->config = config;
	server->blocks = calloc(config->port_count + 1, sizeof *server->blocks);
	server->ledgers = calloc(config->port_count + 1, sizeof *server->ledgers);
	server->served = calloc(plan->count + 1, sizeof *server->served);
	if (!server->ledgers || !server->blocks || !server->served)
		goto out;
	error = adopt_reactor_new(&server->reactor);
	if (error < 0)
		goto out;
	adopt_reactor_observe(server->reactor, &server->observer);
	error = watch_signals(server);
	for (size_t i = 0; i < config->port_count && error == 0; i++)
		error = new_block(server, i);
	for (size_t i = 0; i < plan->count && error == 0; i++)
		error = serve_entry(server, &plan->entries[i], list);
	if (error < 0)
		goto out;
	*ret = server;
	return 0;
out:
	server_free(&server);
	return error;
}

size_t server_port_count(const struct server *server)
{
	return adopt_reactor_port_count(server->reactor);
}

int server_run(struct server *server)
{
	size_t ports = server_port_count(server);
	char status[64];
	int error;

	snprintf(status, sizeof status, "Serving %zu port%s", ports, ports == 1 ? "" : "s");
	notify_ready(status);
	stop_if_done(server);
	error = adopt_reactor_run(server->reactor);
	notify_stopping("Stopping");
	return error;
}

/* Factories and protocols outlive what they built, so the reactor ends first. */
void server_free(struct server **gone)
{
	struct server *server = *gone;

	*gone = NULL;
	if (!server)
		return;
	for (size_t i = 0; i < sizeof server->signals / sizeof server->signals[0]; i++)
		adopt_signal_free(&server->signals[i]);
	if (server->reactor)
		adopt_reactor_observe(server->reactor, NULL);
	adopt_reactor_free(&server->reactor);
	for (size_t i = 0; i < server->served_count; i++)
		block_datagrams_done(&server->served[i].datagrams);
	for (size_t i = 0; server->blocks && i < server->config->port_count; i++)
		if (server->blocks[i].port)
			block_done(&server->blocks[i]);
	for (size_t i = 0; server->ledgers && i < server->config->port_count; i++)
		ledger_free(&server->ledgers[i]);
	free(server->ledgers);
	free(server->blocks);
	free(server->served);
	free(server);
}
