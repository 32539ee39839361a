/* adoptctl status: what adoptd is, and how much it does. */
#include "control_commands.h"
#include "support/json_text.h"
#include "support/utc.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static json_t *time_text(const struct timespec *time)
{
	char text[UTC_TEXT_SIZE];

	return json_string(utc_format(time, text));
}

static const char *state_name(const struct server *server)
{
	return server->state == SERVER_SERVING ? "serving" : "draining";
}

static json_t *counts_object(const struct serving_counts *counts)
{
	return json_pack("{s:I, s:I, s:I, s:f}", "ports", (json_int_t)counts->ports, "connections",
			 (json_int_t)counts->connections, "clients", (json_int_t)counts->clients,
			 "rate", counts->rate);
}

static json_t *workers_array(const struct server *server, const struct serving_counts *counts)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < server->worker_count; i++) {
		json_t *worker = counts_object(&counts[i]);

		if (json_object_set_new(worker, "worker", json_integer(i)) < 0) {
			json_decref(worker);
			worker = NULL;
		}
		json_append(&array, worker);
	}
	return array;
}

static json_t *names_array(const struct drained *drained)
{
	json_t *array = json_array();

	for (size_t i = 0; i < drained->count; i++)
		json_append(&array, json_text(drained->names[i]));
	return array;
}

/* The last reload, and how it ended; null where there was none. */
static json_t *reload_object(const struct server *server)
{
	const struct server_reload_record *last = &server->last_reload;

	if (!last->tried)
		return json_null();
	return json_pack(
		"{s:o, s:b, s:o}", "time", time_text(&last->time), "ok", last->error == 0, "error",
		last->error < 0 ? json_string(server_reload_error(last->error)) : json_null());
}

static json_t *describe(const struct server *server, const struct serving_counts *counts)
{
	const char *path = server->options->config_path;
	uint64_t now_ms = adopt_reactor_now_ms(server->reactor);
	struct serving_counts sum;

	server_sum(server, counts, &sum);
	return json_pack(
		"{s:s, s:i, s:s, s:I, s:o, s:I, s:o, s:s, s:I, s:I, s:I, s:f, s:o, s:o, s:o}",
		"version", PACKAGE_VERSION, "pid", (int)getpid(), "state", state_name(server),
		"elders", (json_int_t)elders_count(&server->elders), "started",
		time_text(&server->started), "uptime_ms", (json_int_t)(now_ms - server->started_ms),
		"config", path ? json_text(path) : json_null(), "log_level",
		log_level_name(log_level_now()), "ports",
		(json_int_t)(server_has_stands(server) ? server->setup->plan->count : 0),
		"connections", (json_int_t)sum.connections, "clients", (json_int_t)sum.clients,
		"rate", sum.rate, "drained", names_array(&server->drained), "reload",
		reload_object(server), "workers", workers_array(server, counts));
}

void control_status(struct server *server, const struct control_request *request,
		    struct control_answer *answer)
{
	struct serving_counts *counts;
	int error = server_count(server, &counts);

	(void)request;
	if (error == 0) {
		answer->data = describe(server, counts);
		free(counts);
	}
	control_check(answer, error);
}
