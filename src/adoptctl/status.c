/* adoptctl status: what adoptd is, and how much it does. */
#include "human.h"
#include "show.h"

#include <string.h>

static const struct column worker_heads[] = {
	{"WORKER", true}, {"PORTS", true}, {"CONNECTIONS", true}, {"CLIENTS", true}, {"RATE", true},
};

static int add_worker(struct columns *columns, const json_t *worker)
{
	char index[HUMAN_SIZE], ports[HUMAN_SIZE], connections[HUMAN_SIZE], clients[HUMAN_SIZE],
		rate[HUMAN_SIZE];
	const char *const cells[] = {
		human_number(worker, "worker", index),
		human_number(worker, "ports", ports),
		human_number(worker, "connections", connections),
		human_number(worker, "clients", clients),
		human_rate(worker, "rate", rate),
	};

	return columns_add(columns, cells);
}

static void print_line(const char *name, const char *value)
{
	printf("%-12s %s\n", name, value);
}

static void print_number(const json_t *data, const char *name)
{
	char text[HUMAN_SIZE];

	print_line(name, human_number(data, name, text));
}

static void print_elders(const json_t *data)
{
	char text[HUMAN_SIZE];

	if (json_integer_value(json_object_get(data, "elders")) > 0)
		printf("%-12s %s, draining\n", "elders", human_number(data, "elders", text));
}

static void print_drained(const json_t *names)
{
	const json_t *name;
	size_t i;

	if (json_array_size(names) == 0)
		return;
	printf("%-12s", "drained");
	json_array_foreach(names, i, name) printf(" %s", json_string_value(name));
	putchar('\n');
}

static void print_reload(const json_t *reload)
{
	char time[HUMAN_SIZE];

	if (!json_is_object(reload))
		return;
	printf("%-12s %s, %s\n", "reload", human_time(reload, "time", time),
	       json_is_true(json_object_get(reload, "ok")) ? "done" : human_text(reload, "error"));
}

static int print(const json_t *data)
{
	const json_t *workers = json_object_get(data, "workers");
	char uptime[HUMAN_SIZE], started[HUMAN_SIZE], rate[HUMAN_SIZE];

	print_line("version", human_text(data, "version"));
	print_number(data, "pid");
	print_line("state", human_text(data, "state"));
	print_elders(data);
	printf("%-12s %s, since %s\n", "uptime", human_span(data, "uptime_ms", uptime),
	       human_time(data, "started", started));
	print_line("config", human_text(data, "config"));
	print_line("log-level", human_text(data, "log_level"));
	print_number(data, "ports");
	print_number(data, "connections");
	print_number(data, "clients");
	printf("%-12s %s a second\n", "rate", human_rate(data, "rate", rate));
	print_drained(json_object_get(data, "drained"));
	print_reload(json_object_get(data, "reload"));
	if (json_array_size(workers) < 2)
		return 0;
	putchar('\n');
	return show_table(workers, worker_heads, sizeof worker_heads / sizeof worker_heads[0],
			  add_worker);
}

static enum command_exit run(const struct command_options *options, int argc, char *argv[])
{
	return show_answer(&command_status, options, argc, argv, print);
}

const struct command command_status = {
	.name = "status",
	.arguments = "",
	.summary = "see what adoptd is, and how much it does",
	.run = run,
};
