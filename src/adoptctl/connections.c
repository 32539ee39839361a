/* adoptctl connections: asked for a page at a time, so that nobody has to hold all. */
#include "call.h"
#include "human.h"
#include "show.h"

#include <errno.h>

static const struct column heads[] = {
	{"ID", true},    {"KIND", false},    {"PEER", false},     {"PORT", false},
	{"ROUTE", true}, {"HANDLER", false}, {"UPSTREAM", false}, {"RECEIVED", true},
	{"SENT", true},  {"AGE", true},      {"WORKER", true},
};

static int add(struct columns *columns, const json_t *connection)
{
	char id[HUMAN_SIZE], route[HUMAN_SIZE], received[HUMAN_SIZE], sent[HUMAN_SIZE],
		age[HUMAN_SIZE], worker[HUMAN_SIZE];
	const char *const cells[] = {
		human_number(connection, "id", id),
		human_text(connection, "kind"),
		human_text(connection, "peer"),
		human_text(connection, "port"),
		human_number(connection, "route", route),
		human_text(connection, "handler"),
		human_text(connection, "upstream"),
		human_bytes(connection, "received", received),
		human_bytes(connection, "sent", sent),
		human_span(connection, "age_ms", age),
		human_number(connection, "worker", worker),
	};

	return columns_add(columns, cells);
}

/* Where they go, page by page. */
struct sink {
	struct columns *columns; /* NULL: they are printed as JSON */
	bool any;                /* has been printed */
};

static int put(struct sink *sink, const json_t *connection)
{
	if (sink->columns)
		return add(sink->columns, connection);
	fputs(sink->any ? "," : "{\"connections\":[", stdout);
	sink->any = true;
	json_dumpf(connection, stdout, JSON_COMPACT);
	return 0;
}

static void put_end(const struct sink *sink)
{
	if (sink->columns)
		columns_print(sink->columns, stdout);
	else
		puts(sink->any ? "]}" : "{\"connections\":[]}");
}

/* ret_last: the id of the last one; untouched where there is none. */
static int put_page(struct sink *sink, const json_t *page, json_int_t *ret_last)
{
	const json_t *connections = json_object_get(page, "connections"), *connection;
	size_t i;

	json_array_foreach(connections, i, connection)
	{
		if (put(sink, connection) < 0)
			return -ENOMEM;
		*ret_last = json_integer_value(json_object_get(connection, "id"));
	}
	return 0;
}

static enum command_exit put_all(struct call *call, struct sink *sink)
{
	enum command_exit code = COMMAND_OK;
	json_int_t last = 0;
	bool more = true;

	while (code == COMMAND_OK && more) {
		json_t *page = NULL;

		code = call_ask(call, json_pack("{s:I}", "after", last), &page);
		if (code == COMMAND_OK && put_page(sink, page, &last) < 0)
			code = show_no_memory(&command_connections);
		more = json_is_true(json_object_get(page, "more"));
		json_decref(page);
	}
	return code;
}

static enum command_exit show(const struct command_options *options, struct call *call)
{
	struct sink sink = {0};
	enum command_exit code;

	if (!options->json && columns_new(heads, sizeof heads / sizeof heads[0], &sink.columns) < 0)
		return show_no_memory(&command_connections);
	code = put_all(call, &sink);
	if (code == COMMAND_OK)
		put_end(&sink);
	columns_free(&sink.columns);
	return code;
}

static enum command_exit run(const struct command_options *options, int argc, char *argv[])
{
	struct call *call = NULL;
	enum command_exit code;
	char **words;

	if (command_words(&command_connections, argc, argv, 0, 0, &words, &code) < 0)
		return code;
	code = call_open(options, command_connections.name, &call);
	if (code == COMMAND_OK)
		code = show(options, call);
	call_close(&call);
	return code;
}

const struct command command_connections = {
	.name = "connections",
	.arguments = "",
	.summary = "list the connections, and the sessions of datagrams",
	.run = run,
};
