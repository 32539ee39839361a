#include "config_routing.h"

#include "config_table.h"
#include "support/listen.h"
#include "support/option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A block as its faults call it. */
static const char *block_text(const cfg_t *section, char text[300])
{
	if (section->title)
		snprintf(text, 300, "%s \"%s\"", section->name, section->title);
	else
		snprintf(text, 300, "this %s", section->name);
	return text;
}

static void list_handlers(char *list, size_t size)
{
	size_t used = 0;

	list[0] = '\0';
	for (size_t i = 0; handler_table[i] && used < size; i++)
		used += (size_t)snprintf(list + used, size - used, "%s%s", i ? ", " : "",
					 handler_table[i]->name);
}

/* Finds the handler block; where there are more, all but one are faults. */
static cfg_t *find_handler_block(cfg_t *section, struct faults *faults)
{
	cfg_t *found = NULL;
	char text[300];

	for (size_t i = 0; handler_table[i]; i++)
		for (unsigned n = 0; n < cfg_size(section, handler_table[i]->name); n++) {
			cfg_t *block = cfg_getnsec(section, handler_table[i]->name, n);
			cfg_t *later = found && block->line < found->line ? found : block;

			found = found && later == block ? found : block;
			if (later != found)
				fault_add(faults, FAULT_ERROR, later->filename, later->line,
					  "%s has a handler already, %s in line %d; "
					  "it takes exactly one",
					  block_text(section, text), found->name, found->line);
		}
	return found;
}

int config_read_handler(cfg_t *section, struct faults *faults, const struct handler **ret,
			struct handler_settings **ret_settings)
{
	cfg_t *block = find_handler_block(section, faults);
	char list[256], text[300];
	int error;

	if (!block) {
		list_handlers(list, sizeof list);
		/* Where a block was refused, that was meant to be the handler. */
		if (!(section->flags & CONFIG_BLOCK_REFUSED))
			fault_add(faults, FAULT_ERROR, section->filename, section->line,
				  "%s has no handler; it takes one of the blocks %s",
				  block_text(section, text), list);
		return 0;
	}
	*ret = handler_find(block->name);
	error = (*ret)->settings_new(block, faults, ret_settings);
	return error == -EINVAL ? 0 : error;
}

/* Which kinds of sockets a port may get: what it listens on, or else either. */
static void find_kinds(const struct config_port *port, bool *ret_streams, bool *ret_datagrams)
{
	*ret_streams = *ret_datagrams = port->listen[0] == NULL;
	for (char **address = port->listen; *address; address++) {
		if (listen_is_datagram(*address))
			*ret_datagrams = true;
		else
			*ret_streams = true;
	}
}

static bool may_be_unix(const struct config_port *port)
{
	for (char **address = port->listen; *address; address++)
		if (listen_is_unix_stream(*address))
			return true;
	return port->listen[0] == NULL;
}

static void judge_kinds(const struct config_port *port, const struct config_route *route,
			struct faults *faults)
{
	const char *of_streams = conditions_impossible(route->conditions, false);
	const char *of_datagrams = conditions_impossible(route->conditions, true);
	const char *of_unix = conditions_only_unix(route->conditions);
	bool streams, datagrams;

	find_kinds(port, &streams, &datagrams);
	if (of_unix && streams && !may_be_unix(port))
		fault_add(faults, FAULT_ERROR, route->file, route->line,
			  "no client can fulfil %s here: it is for UNIX sockets, and the port has "
			  "none",
			  of_unix);
	if ((streams && !of_streams) || (datagrams && !of_datagrams))
		return;
	fault_add(faults, FAULT_ERROR, route->file, route->line, "no client can fulfil %s here: %s",
		  streams && of_streams ? of_streams : of_datagrams,
		  streams && datagrams ? "its conditions exclude each other"
		  : streams            ? "it is for datagrams, and the port has streams"
				       : "it is for streams, and the port has datagrams");
}

static void judge_reach(const struct config_port *port, const struct config_route *route,
			struct faults *faults)
{
	for (const struct config_route *earlier = port->routes; earlier < route; earlier++)
		if (earlier->conditions &&
		    conditions_cover(earlier->conditions, route->conditions)) {
			fault_add(faults, FAULT_WARNING, route->file, route->line,
				  "this route is never reached: the one in line %d takes all "
				  "that it could",
				  earlier->line);
			return;
		}
}

static int read_route(struct config_port *port, cfg_t *section, struct faults *faults)
{
	struct config_route *route = &port->routes[port->route_count++];
	int error;

	route->file = section->filename;
	route->line = section->line;
	error = conditions_new(section, faults, &route->conditions);
	if (error == -ENOMEM)
		return error;
	if (route->conditions) {
		judge_kinds(port, route, faults);
		judge_reach(port, route, faults);
	}
	error = config_read_handler(section, faults, &route->handler, &route->settings);
	if (error == 0 && route->settings && handler_takes_port(route->handler, route->settings))
		fault_add(faults, FAULT_ERROR, route->file, route->line,
			  "a route has no socket of its own: `wait` is for the port's own handler");
	return error;
}

/* All these options are strings, or lists that are empty by default. */
static bool is_default(cfg_t *section, const cfg_opt_t *option)
{
	if (option->flags & CFGF_LIST)
		return cfg_size(section, option->name) == 0;
	return strcmp(cfg_getstr(section, option->name), option->def.string) == 0;
}

static void refuse_options(cfg_t *section, const cfg_opt_t *options, struct faults *faults)
{
	for (; options->name; options++)
		if (!is_default(section, options))
			option_fault(section, options->name, faults,
				     "adoptd sees no client here: with `wait` the process has the "
				     "socket itself");
}

/* What is to be done to clients cannot be, where they are never seen. */
static void judge_whole_port(const struct config_port *port, cfg_t *section, struct faults *faults)
{
	if (!port->settings || !handler_takes_port(port->handler, port->settings))
		return;
	refuse_options(section, router_options, faults);
	refuse_options(section, gate_options, faults);
	for (size_t i = 0; i < port->route_count; i++)
		fault_add(faults, FAULT_ERROR, port->routes[i].file, port->routes[i].line,
			  "this route gets no client: with `wait` the process has the socket "
			  "itself");
}

static void refuse_addresses(const struct config_port *port, cfg_t *section,
			     const struct config_route *route, struct faults *faults)
{
	const struct handler *handler = route ? route->handler : port->handler;
	const struct handler_settings *settings = route ? route->settings : port->settings;
	char who[64] = "the port's handler";

	if (!settings)
		return;
	if (route)
		snprintf(who, sizeof who, "the handler of the route in line %d", route->line);
	for (char **address = port->listen; *address; address++) {
		bool datagrams = listen_is_datagram(*address);
		const char *why = handler_refuses(handler, settings, datagrams);

		if (why)
			option_fault(section, "listen", faults, "\"%s\" is for %s, but %s %s",
				     *address, datagrams ? "datagrams" : "streams", who, why);
	}
}

/* Each address is a socket that all of the port's handlers have to serve. */
static void judge_addresses(const struct config_port *port, cfg_t *section, struct faults *faults)
{
	refuse_addresses(port, section, NULL, faults);
	for (size_t i = 0; i < port->route_count; i++)
		refuse_addresses(port, section, &port->routes[i], faults);
}

int config_read_routing(struct config_port *port, cfg_t *section, struct faults *faults)
{
	unsigned count = cfg_size(section, "route");
	int error = router_settings_read(section, faults, &port->router);

	if (error == -ENOMEM)
		return error;
	port->routes = calloc(count + 1, sizeof *port->routes);
	if (!port->routes)
		return -ENOMEM;
	error = 0;
	for (unsigned i = 0; !error && i < count; i++)
		error = read_route(port, cfg_getnsec(section, "route", i), faults);
	if (!error) {
		judge_whole_port(port, section, faults);
		judge_addresses(port, section, faults);
	}
	return error;
}

void config_free_routing(struct config_port *port)
{
	for (size_t i = 0; i < port->route_count; i++) {
		struct config_route *route = &port->routes[i];

		conditions_free(&route->conditions);
		if (route->settings)
			route->handler->settings_free(route->settings);
	}
	free(port->routes);
	router_settings_done(&port->router);
}
