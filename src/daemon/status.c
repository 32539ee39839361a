/* What the supervisor is told of the server: systemctl status shows it. */
#include "keep.h"
#include "notify.h"
#include "server_parts.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define STATUS_INTERVAL_MS 10000
#define STATUS_BYTES 160

static int describe(struct server *server, char text[STATUS_BYTES])
{
	struct serving_counts *counts, sum;
	size_t ports = server->setup->plan->count;
	uint64_t now_ms = adopt_reactor_now_ms(server->reactor);
	uint64_t passed_ms = now_ms - server->told_ms;
	int error = server_count(server, &counts);
	double rate;

	if (error < 0)
		return error;
	server_sum(server, counts, &sum);
	free(counts);
	rate = passed_ms ? (double)(sum.clients - server->clients_told) * 1000.0 / (double)passed_ms
			 : 0;
	snprintf(text, STATUS_BYTES, "Serving %zu port%s, %zu connection%s, %.1f new a second",
		 ports, ports == 1 ? "" : "s", sum.connections, sum.connections == 1 ? "" : "s",
		 rate);
	server->told_ms = now_ms;
	server->clients_told = sum.clients;
	return 0;
}

void server_tell_ready(struct server *server)
{
	size_t ports = server->setup->plan->count;
	char text[STATUS_BYTES];

	snprintf(text, sizeof text, "Serving %zu port%s", ports, ports == 1 ? "" : "s");
	server->told_ms = adopt_reactor_now_ms(server->reactor);
	keep_store(&server->setup->plan->opened);
	notify_ready(text);
}

void server_want_status(struct server *server)
{
	if (notify_wanted() && !atomic_exchange(&server->status_runs, true))
		adopt_call_from_thread(server->reactor, &server->status_wanted);
}

void server_hear_status_wanted(struct adopt_call *call)
{
	struct server *server =
		(struct server *)((char *)call - offsetof(struct server, status_wanted));

	if (server->state == SERVER_SERVING)
		adopt_timer_start(server->status_timer, STATUS_INTERVAL_MS);
}

/* The timer's. An idle server is silent: it runs only while there is something to tell. */
void server_tell_status(void *context)
{
	struct server *server = context;
	uint64_t clients_before = server->clients_told;
	char text[STATUS_BYTES];

	if (describe(server, text) == 0)
		notify_status(text);
	atomic_store(&server->status_runs, false);
	if (atomic_load(&server->busy_workers) > 0 || server->clients_told != clients_before)
		server_want_status(server);
}
