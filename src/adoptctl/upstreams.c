/* adoptctl upstreams: the servers that clients are passed on to. */
#include "human.h"
#include "show.h"

static const struct column heads[] = {
	{"PORT", false},  {"ROUTE", true},      {"KIND", false},
	{"NAME", false},  {"ADDRESS", false},   {"CONNECTIONS", true},
	{"STATE", false}, {"FAILED FOR", true}, {"RETRY IN", true},
};

static int add(struct columns *columns, const json_t *upstream)
{
	char route[HUMAN_SIZE], connections[HUMAN_SIZE], failed[HUMAN_SIZE], retry[HUMAN_SIZE];
	const char *const cells[] = {
		human_text(upstream, "port"),
		human_number(upstream, "route", route),
		human_text(upstream, "kind"),
		human_text(upstream, "name"),
		human_text(upstream, "address"),
		human_number(upstream, "connections", connections),
		human_text(upstream, "state"),
		human_span(upstream, "failed_ms", failed),
		human_span(upstream, "retry_ms", retry),
	};

	return columns_add(columns, cells);
}

static int print(const json_t *data)
{
	return show_table(json_object_get(data, "upstreams"), heads, sizeof heads / sizeof heads[0],
			  add);
}

static enum command_exit run(const struct command_options *options, int argc, char *argv[])
{
	return show_answer(&command_upstreams, options, argc, argv, print);
}

const struct command command_upstreams = {
	.name = "upstreams",
	.arguments = "",
	.summary = "list the servers that clients are passed on to",
	.run = run,
};
