#include "stand.h"

#include <errno.h>
#include <stdlib.h>

static struct stand *from_host(struct host *host)
{
	return (struct stand *)host;
}

static void busy(struct host *host, bool busy)
{
	struct stand *stand = from_host(host);

	stand->owner->busy(stand, busy);
	if (!busy && stand->retired)
		adopt_call_soon(host->reactor, &stand->settle);
}

/* --- adopting --- */

static int adopt_stream(struct stand *stand, struct stand_port *port, bool shared)
{
	const struct plan_entry *entry = port->entry;
	struct adopt_factory *factory;
	int error = block_factory(&stand->block, &factory);

	if (error < 0)
		return error;
	if (shared)
		factory = spread_front_factory(&stand->front, factory);
	error = adopt_stream_port(stand->block.host.reactor, entry->fd, entry->kind.family, factory,
				  &port->port);
	return error < 0 ? error : host_add_port(&stand->block.host, port->port);
}

static int adopt_datagrams(struct stand *stand, struct stand_port *port)
{
	const struct plan_entry *entry = port->entry;
	struct adopt_datagram_protocol *protocol;
	int error = block_datagrams(&stand->block, &port->datagrams, &protocol);

	if (error < 0)
		return error;
	error = adopt_datagram_port(stand->block.host.reactor, entry->fd, entry->kind.family,
				    protocol, entry->port->max_packet_size, &port->port);
	if (error == 0)
		adopt_port_pause(port->port);
	return error;
}

static int adopt_whole(struct stand *stand, struct stand_port *port)
{
	const struct plan_entry *entry = port->entry;
	struct host *host = &stand->block.host;
	int error = entry->port->handler->port_new(entry->port->settings, host, &port->lookout);

	if (error == 0)
		error = adopt_watched_port(host->reactor, entry->fd, entry->kind.family,
					   port->lookout, &port->port);
	return error < 0 ? error : host_add_port(host, port->port);
}

static int adopt_as_planned(struct stand *stand, struct stand_port *port, bool shared)
{
	switch (port->entry->role) {
	case PLAN_WHOLE_PORT:
		return adopt_whole(stand, port);
	case PLAN_DATAGRAM_PORT:
		return adopt_datagrams(stand, port);
	default:
		return adopt_stream(stand, port, shared);
	}
}

static int adopt_entry(struct stand *stand, const struct plan_entry *entry, bool shared)
{
	struct stand_port *port = &stand->ports[stand->port_count++];
	int error;

	port->entry = entry;
	error = adopt_as_planned(stand, port, shared);
	if (error < 0)
		log_error("port \"%s\": descriptor %d cannot be served: %s", entry->port->name,
			  entry->fd, adopt_error_text(error));
	return error;
}

int stand_adopt_ports(struct stand *stand, const struct stand_order *order)
{
	const struct plan *plan = stand->setup->plan;
	int error = 0;

	for (size_t i = 0; error == 0 && i < plan->count; i++)
		if (plan->entries[i].port == stand->block.port &&
		    plan->entries[i].role != PLAN_STREAM_CONNECTION &&
		    setup_is_for(stand->setup, i, order->worker, order->workers))
			error = adopt_entry(
				stand, &plan->entries[i],
				order->spread && setup_is_shared(stand->setup, i, order->workers));
	return error;
}

static void settle(struct adopt_call *call);

int stand_new(const struct stand_order *order, struct stand **ret)
{
	const struct config_port *port = &order->setup->config->ports[order->index];
	size_t entries = order->setup->plan->count;
	struct stand *stand = calloc(1, sizeof *stand);

	if (!stand)
		return -ENOMEM;
	stand->ports = calloc(entries + 1, sizeof *stand->ports);
	if (!stand->ports) {
		free(stand);
		return -ENOMEM;
	}
	block_init(&stand->block, port, order->reactor, order->setup->ledgers[order->index], busy);
	stand->block.host.worker_quota = order->quota;
	stand->block.host.roll = order->roll;
	stand->owner = order->owner;
	stand->context = order->context;
	stand->setup = setup_ref(order->setup);
	stand->index = order->index;
	stand->settle.run = settle;
	spread_front_init(&stand->front, order->spread, &stand->block.host, stand);
	stand->holds = 1;
	host_hold(&stand->block.host);
	*ret = stand;
	return 0;
}

static int adopt_connection(struct stand *stand, const struct plan_entry *entry)
{
	struct adopt_factory *factory;
	int error = block_factory(&stand->block, &factory);

	if (error == 0)
		error = adopt_stream_connection(stand->block.host.reactor, entry->fd,
						entry->kind.family, factory);
	if (error == -ENOTCONN || error == -ECONNABORTED) {
		log_info("port \"%s\": the connection is gone: %s", entry->port->name,
			 adopt_error_text(error));
		return 0;
	}
	if (error < 0)
		log_error("port \"%s\": descriptor %d cannot be served: %s", entry->port->name,
			  entry->fd, adopt_error_text(error));
	else
		log_info("port \"%s\": %s on a connection, from %s", entry->port->name,
			 entry->port->handler->name, entry->source);
	return error;
}

int stand_adopt_connections(struct stand *stand, const struct stand_order *order)
{
	const struct plan *plan = stand->setup->plan;
	int error = 0;

	for (size_t i = 0; error == 0 && i < plan->count; i++)
		if (plan->entries[i].port == stand->block.port &&
		    plan->entries[i].role == PLAN_STREAM_CONNECTION &&
		    setup_is_for(stand->setup, i, order->worker, order->workers))
			error = adopt_connection(stand, &plan->entries[i]);
	return error;
}

/* --- holding --- */

/* The stream ports are the host's to pause. */
void stand_hold(struct stand *stand)
{
	if (stand->retired)
		return;
	host_hold(&stand->block.host);
	if (stand->holds++ > 0)
		return;
	for (size_t i = 0; i < stand->port_count; i++)
		if (stand->ports[i].datagrams.block && stand->ports[i].port)
			adopt_port_pause(stand->ports[i].port);
}

void stand_release(struct stand *stand)
{
	if (stand->retired)
		return;
	host_release(&stand->block.host);
	if (--stand->holds > 0)
		return;
	for (size_t i = 0; i < stand->port_count; i++)
		if (stand->ports[i].datagrams.block && stand->ports[i].port)
			adopt_port_resume(stand->ports[i].port);
}

/* --- ending --- */

static void stop_ports(struct stand *stand, bool datagrams)
{
	for (size_t i = 0; i < stand->port_count; i++)
		if ((stand->ports[i].datagrams.block != NULL) == datagrams)
			adopt_port_stop(&stand->ports[i].port);
}

/* A port ends by a call that waits since it was told to stop, so one that is asked for
 * after that finds it ended. Sessions answer by their port, which goes last. */
static void settle(struct adopt_call *call)
{
	struct stand *stand = (struct stand *)((char *)call - offsetof(struct stand, settle));

	if (stand->block.host.work > 0)
		return;
	if (!stand->stopped) {
		stand->stopped = true;
		stop_ports(stand, true);
		adopt_call_soon(stand->block.host.reactor, &stand->settle);
		return;
	}
	stand->owner->gone(stand);
	stand_free(stand);
}

void stand_retire(struct stand *stand)
{
	if (stand->retired)
		return;
	stand->retired = true;
	host_remove_ports(&stand->block.host);
	stop_ports(stand, false);
	for (size_t i = 0; i < stand->port_count; i++) {
		if (!stand->ports[i].datagrams.block || !stand->ports[i].port)
			continue;
		adopt_port_pause(stand->ports[i].port);
		block_datagrams_drain(&stand->ports[i].datagrams);
	}
	adopt_call_soon(stand->block.host.reactor, &stand->settle);
}

void stand_free(struct stand *stand)
{
	for (size_t i = 0; i < stand->port_count; i++) {
		block_datagrams_done(&stand->ports[i].datagrams);
		if (stand->ports[i].lookout)
			stand->block.port->handler->port_free(stand->ports[i].lookout);
	}
	block_done(&stand->block);
	setup_unref(&stand->setup);
	free(stand->ports);
	free(stand);
}

/* --- telling --- */

bool stand_has(const struct stand *stand, const struct adopt_port *port)
{
	for (size_t i = 0; i < stand->port_count; i++)
		if (stand->ports[i].port == port)
			return true;
	return false;
}

static bool another_has(const struct stand *stand, const struct plan_entry *entry, unsigned worker,
			unsigned workers)
{
	size_t index = (size_t)(entry - stand->setup->plan->entries);

	for (unsigned i = 0; i < worker; i++)
		if (setup_is_for(stand->setup, index, i, workers))
			return true;
	return false;
}

void stand_log(const struct stand *stand, unsigned worker, unsigned workers)
{
	for (size_t i = 0; i < stand->port_count; i++) {
		const struct plan_entry *entry = stand->ports[i].entry;
		char text[ADOPT_ADDRESS_TEXT_SIZE];
		struct adopt_address local = {0};

		if (another_has(stand, entry, worker, workers))
			continue;
		adopt_port_local(stand->ports[i].port, &local);
		log_info("port \"%s\": %s on %s%s, from %s", entry->port->name,
			 entry->port->handler->name,
			 adopt_address_format(&local, text, sizeof text),
			 entry->kind.type == SOCK_DGRAM ? " (datagrams)" : "", entry->source);
	}
}
