/* adoptctl ports: the port blocks and their sockets. */
#include "human.h"
#include "show.h"

static const struct column heads[] = {
	{"PORT", false},       {"STATE", false},  {"HANDLER", false},
	{"CONNECTIONS", true}, {"CLIENTS", true}, {"ADDRESS", false},
	{"KIND", false},       {"SOURCE", false}, {"WORKERS", false},
};

/* Only the first socket's row says what is the whole block's. */
static int add_socket(struct columns *columns, const json_t *port, const json_t *socket, bool first)
{
	char connections[HUMAN_SIZE], clients[HUMAN_SIZE], workers[HUMAN_SIZE];
	const char *const cells[] = {
		first ? human_text(port, "port") : "",
		first ? human_text(port, "state") : "",
		first ? human_text(port, "handler") : "",
		first ? human_number(port, "connections", connections) : "",
		first ? human_number(port, "clients", clients) : "",
		human_text(socket, "address"),
		human_text(socket, "kind"),
		human_text(socket, "source"),
		human_list(socket, "workers", workers),
	};

	return columns_add(columns, cells);
}

static int add(struct columns *columns, const json_t *port)
{
	const json_t *sockets = json_object_get(port, "sockets"), *socket;
	int error = 0;
	size_t i;

	if (json_array_size(sockets) == 0)
		return add_socket(columns, port, NULL, true);
	json_array_foreach(sockets, i, socket)
	{
		error = add_socket(columns, port, socket, i == 0);
		if (error < 0)
			break;
	}
	return error;
}

static int print(const json_t *data)
{
	return show_table(json_object_get(data, "ports"), heads, sizeof heads / sizeof heads[0],
			  add);
}

static enum command_exit run(const struct command_options *options, int argc, char *argv[])
{
	return show_answer(&command_ports, options, argc, argv, print);
}

const struct command command_ports = {
	.name = "ports",
	.arguments = "",
	.summary = "list the ports, their sockets, and how much each has in hand",
	.run = run,
};
