/* adoptctl upstreams: the servers that clients are passed on to. */
#include "control_commands.h"
#include "support/json_text.h"

#include <errno.h>

struct listing {
	json_t *array;
	uint64_t now_ms;
	const struct handler_settings *settings; /* whose upstreams are told of */
};

static json_t *text_or_null(const char *text)
{
	return text ? json_text(text) : json_null();
}

static const char *state_name(const struct handler_upstream *upstream)
{
	if (!upstream->address)
		return "unresolved";
	return upstream->failed ? "failed" : "up";
}

/* Times that have been, and times to come, as of now. */
static json_t *span(bool known, uint64_t from_ms, uint64_t to_ms)
{
	if (!known)
		return json_null();
	return json_integer(to_ms > from_ms ? (json_int_t)(to_ms - from_ms) : 0);
}

static void add(void *context, const struct handler_upstream *upstream)
{
	struct listing *listing = context;
	bool failed = upstream->failed;

	json_append(&listing->array,
		    json_pack("{s:o, s:I, s:o, s:o, s:o, s:s, s:I, s:o, s:o}", "port",
			      json_text(listing->settings->port_name), "route",
			      (json_int_t)listing->settings->route, "kind",
			      text_or_null(upstream->kind), "name", text_or_null(upstream->name),
			      "address", text_or_null(upstream->address), "state",
			      state_name(upstream), "connections",
			      (json_int_t)upstream->connections, "failed_ms",
			      span(failed, upstream->failed_ms, listing->now_ms), "retry_ms",
			      span(failed, listing->now_ms, upstream->retry_ms)));
}

static void add_block(struct listing *listing, const struct handler *handler,
		      const struct handler_settings *settings)
{
	listing->settings = settings;
	if (handler->upstreams)
		handler->upstreams(settings, add, listing);
}

/* What a reload left as it was has the settings of an earlier setup: so it is the stands
 * that are looked at, which are the same ones in all workers. */
void control_upstreams(struct server *server, const struct control_request *request,
		       struct control_answer *answer)
{
	const struct serving *serving = &server->servings[0];
	struct listing listing = {
		.array = json_array(),
		.now_ms = adopt_reactor_now_ms(server->reactor),
	};

	(void)request;
	for (size_t i = 0; serving->setup && i < serving->setup->config->port_count; i++) {
		const struct config_port *port = serving->stands[i]->block.port;

		add_block(&listing, port->handler, port->settings);
		for (size_t j = 0; j < port->route_count; j++)
			add_block(&listing, port->routes[j].handler, port->routes[j].settings);
	}
	answer->data = json_pack("{s:o}", "upstreams", listing.array);
	control_check(answer, 0);
}
