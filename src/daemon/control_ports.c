/* adoptctl ports: the port blocks, their sockets, and how much each has in hand. */
#include "control_commands.h"
#include "support/json_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int count(struct serving *serving, void *context)
{
	struct serving_port_counts *counts = context;
	const struct config *config = serving->setup->config;

	for (size_t i = 0; i < config->port_count; i++)
		serving_count_port(serving, i, &counts[serving->worker * config->port_count + i]);
	return 0;
}

/* Adds what all workers have of a port block. */
static struct serving_port_counts sum_of(const struct server *server,
					 const struct serving_port_counts *counts, size_t port)
{
	struct serving_port_counts sum = {0};

	for (unsigned i = 0; i < server->worker_count; i++) {
		const struct serving_port_counts *of =
			&counts[i * server->setup->config->port_count + port];

		sum.connections += of->connections;
		sum.clients += of->clients;
		sum.held = sum.held || of->held;
	}
	return sum;
}

static const char *kind_name(const struct plan_entry *entry)
{
	switch (entry->kind.type) {
	case SOCK_DGRAM:
		return "datagram";
	case SOCK_SEQPACKET:
		return "seqpacket";
	default:
		return "stream";
	}
}

static json_t *workers_array(const struct server *server, size_t entry)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < server->worker_count; i++)
		if (setup_is_for(server->setup, entry, i, server->worker_count))
			json_append(&array, json_integer(i));
	return array;
}

static json_t *socket_object(const struct server *server, size_t index)
{
	const struct plan_entry *entry = &server->setup->plan->entries[index];
	struct adopt_address local = {.length = sizeof local.name};
	char text[ADOPT_ADDRESS_TEXT_SIZE];

	if (getsockname(entry->fd, &local.name.any, &local.length) < 0)
		local.length = 0;
	return json_pack("{s:o, s:s, s:o, s:o}", "address",
			 json_text(adopt_address_format(&local, text, sizeof text)), "kind",
			 kind_name(entry), "source", json_text(entry->source), "workers",
			 workers_array(server, index));
}

static json_t *sockets_array(const struct server *server, const struct config_port *port)
{
	const struct plan *plan = server->setup->plan;
	json_t *array = json_array();

	for (size_t i = 0; i < plan->count; i++)
		if (plan->entries[i].port == port &&
		    plan->entries[i].role != PLAN_STREAM_CONNECTION &&
		    json_array_append_new(array, socket_object(server, i)) < 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *port_object(const struct server *server, size_t index,
			   const struct serving_port_counts *counts)
{
	const struct config_port *port = &server->setup->config->ports[index];
	struct serving_port_counts sum = sum_of(server, counts, index);
	const char *state = drained_has(&server->drained, port->name) ? "drained"
			    : sum.held                                ? "held"
								      : "open";

	return json_pack("{s:o, s:s, s:I, s:s, s:I, s:I, s:o}", "port", json_text(port->name),
			 "handler", port->handler->name, "routes", (json_int_t)port->route_count,
			 "state", state, "connections", (json_int_t)sum.connections, "clients",
			 (json_int_t)sum.clients, "sockets", sockets_array(server, port));
}

static json_t *describe(const struct server *server, const struct serving_port_counts *counts)
{
	json_t *array = json_array();

	for (size_t i = 0; i < server->setup->config->port_count; i++)
		if (json_array_append_new(array, port_object(server, i, counts)) < 0) {
			json_decref(array);
			return NULL;
		}
	return json_pack("{s:o}", "ports", array);
}

void control_ports(struct server *server, const struct control_request *request,
		   struct control_answer *answer)
{
	size_t count_all = server->worker_count * server->setup->config->port_count;
	struct serving_port_counts *counts;
	int error = -ENOMEM;

	(void)request;
	/* The ports are gone, and so are their sockets. */
	if (!server_has_stands(server)) {
		answer->data = json_pack("{s:[]}", "ports");
		control_check(answer, 0);
		return;
	}
	counts = calloc(count_all, sizeof *counts);
	if (counts)
		error = server_each(server, count, counts);
	if (error == 0)
		answer->data = describe(server, counts);
	free(counts);
	control_check(answer, error);
}
