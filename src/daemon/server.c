#include "server_parts.h"

#include "keep.h"
#include "notify.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

/* --- what workers tell --- */

/* This is on the way of every client that finds the worker idle: nobody is called. */
static void worker_busy(struct serving *serving, bool busy)
{
	struct server *server = serving->context;

	if (busy) {
		atomic_fetch_add(&server->busy_workers, 1);
		server_want_status(server);
		return;
	}
	atomic_store(&server->idle_since_ms, adopt_reactor_now_ms(serving->reactor));
	atomic_fetch_sub(&server->busy_workers, 1);
}

static void worker_ended(struct serving *serving)
{
	struct server *server = serving->context;

	atomic_fetch_add(&server->ended_workers, 1);
	adopt_call_from_thread(server->reactor, &server->worker_ended);
}

static const struct serving_owner_ops serving_ops = {.busy = worker_busy, .ended = worker_ended};

static void hear_ended(struct adopt_call *call)
{
	struct server *server =
		(struct server *)((char *)call - offsetof(struct server, worker_ended));

	server_end_if_drained(server);
}

/* --- jobs --- */

struct job {
	struct server *server;
	serving_job *job;
	void *context;
};

static int do_job(struct worker *worker, void *context)
{
	const struct job *job = context;

	return job->job(&job->server->servings[worker->index], job->context);
}

int server_each(struct server *server, serving_job *job, void *context)
{
	struct job each = {.server = server, .job = job, .context = context};

	return workers_each(server->workers, server->worker_count, do_job, &each);
}

static int count(struct serving *serving, void *context)
{
	struct serving_counts *counts = context;

	serving_count(serving, &counts[serving->worker]);
	return 0;
}

int server_count(struct server *server, struct serving_counts **ret)
{
	struct serving_counts *counts = calloc(server->worker_count, sizeof *counts);
	int error = counts ? server_each(server, count, counts) : -ENOMEM;

	if (error < 0)
		free(counts);
	else
		*ret = counts;
	return error;
}

void server_sum(const struct server *server, const struct serving_counts *counts,
		struct serving_counts *ret)
{
	*ret = (struct serving_counts){0};
	for (unsigned i = 0; i < server->worker_count; i++) {
		ret->ports += counts[i].ports;
		ret->connections += counts[i].connections;
		ret->work += counts[i].work;
		ret->clients += counts[i].clients;
		ret->rate += counts[i].rate;
	}
}

/* --- signals --- */

static void end_asked(void *context)
{
	struct server *server = context;
	bool first = !server->end_asked;

	server->end_asked = true;
	if (server->state == SERVER_SERVING) {
		log_info("draining");
		server_drain(server, server->setup->config->drain_timeout_ms);
	} else if (first && server->handed_over) {
		log_info("draining since the hand-over");
	} else {
		log_info("stopping at once");
		server_stop(server);
	}
}

static void status_asked(void *context)
{
	struct server *server = context;
	struct serving_counts *counts, sum;

	if (server_count(server, &counts) < 0)
		return;
	server_sum(server, counts, &sum);
	log_info("status: %zu ports, %zu connections, %llu clients so far",
		 server->setup->plan->count, sum.connections, (unsigned long long)sum.clients);
	for (unsigned i = 0; server->worker_count > 1 && i < server->worker_count; i++)
		log_info("status: worker %u: %zu connections, %llu clients so far", i,
			 counts[i].connections, (unsigned long long)counts[i].clients);
	free(counts);
}

static void reload_asked(void *context)
{
	server_reload_asked(context);
}

/* Einhorn asks so when the worker that it has started in place of this one is up. */
static void hand_over_asked(void *context)
{
	struct server *server = context;

	if (!server->list->under_einhorn) {
		server_hand_over(server);
	} else if (server->state == SERVER_SERVING) {
		log_info("draining, as Einhorn asks");
		server_drain(server, server->setup->config->drain_timeout_ms);
	}
}

static int watch_signals(struct server *server)
{
	static const struct {
		int number;
		void (*received)(void *context);
	} signals[SERVER_SIGNALS] = {
		{SIGTERM, end_asked},    {SIGINT, end_asked},        {SIGHUP, reload_asked},
		{SIGUSR1, status_asked}, {SIGUSR2, hand_over_asked},
	};
	int error = 0;

	/* Where the library cannot tell the system so call by call. */
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < SERVER_SIGNALS && error == 0; i++)
		error = adopt_signal_new(server->reactor, signals[i].number, signals[i].received,
					 server, &server->signals[i]);
	return error;
}

/* --- beginning and end --- */

static int new_workers(struct server *server)
{
	unsigned workers = server->setup->config->workers;
	int error = workers_new(workers, &server->workers);

	if (error < 0)
		return error;
	server->worker_count = workers;
	server->reactor = server->workers[0].reactor;
	server->servings = calloc(workers, sizeof *server->servings);
	if (workers > 1)
		server->loads = calloc(workers, sizeof *server->loads);
	if (!server->servings || (workers > 1 && !server->loads))
		return -ENOMEM;
	for (unsigned i = 0; i < workers; i++) {
		serving_init(&server->servings[i], server->workers[i].reactor, i, workers,
			     server->loads, server->slots, &serving_ops, server);
		server->servings[i].drained = &server->drained;
	}
	return 0;
}

static int new_timers(struct server *server)
{
	int error =
		adopt_timer_new(server->reactor, server_drain_tick, server, &server->drain_timer);

	if (error == 0)
		error = adopt_timer_new(server->reactor, server_tell_status, server,
					&server->status_timer);
	if (error == 0)
		error = watchdog_new(server->workers, server->worker_count, &server->watchdog);
	if (error == 0)
		error = server_hold_repeats(server);
	return error;
}

/* A new descriptor has the lowest number that is free. */
static uint64_t count_descriptors(void)
{
	int next = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (next < 0)
		return 0;
	close(next);
	return (uint64_t)next;
}

/* What an adoptd before this one opened is this one's now, or nobody's. */
static void settle_given(struct listen_set *given, const struct plan *plan)
{
	listen_leave_paths(given, false);
	keep_forget(given, &plan->opened);
	listen_close(given);
}

static int enter_sandbox(struct server *server, const struct server_order *order)
{
	const struct sandbox_order sandbox_order = {
		.setup = server->setup,
		.given = order->given,
		.program = server->program,
		.hands_over = !server_why_never_hands_over(server),
		.to_syslog = server->list->stderr_taken,
	};

	return sandbox_enter(&server->sandbox, &sandbox_order);
}

static int begin(struct server *server, const struct server_order *order)
{
	int error = slots_new(0, &server->slots);

	if (error == 0)
		error = control_new(server, &server->control);
	if (error == 0)
		error = new_workers(server);
	if (error == 0)
		server->started_ms = adopt_reactor_now_ms(server->reactor);
	if (error == 0)
		error = watch_signals(server);
	if (error == 0)
		error = new_timers(server);
	if (error == 0)
		error = enter_sandbox(server, order);
	if (error == 0)
		error = workers_start(server->workers, server->worker_count);
	server->descriptors_before = count_descriptors();
	if (error == 0)
		error = server_prepare(server, server->setup);
	if (error == 0)
		error = server_take_over(server);
	if (error == 0)
		error = server_commit(server);
	return error;
}

/* What was a connection is its protocol's now. */
static void drop_connections(struct server *server)
{
	const struct plan *plan = server->setup->plan;

	for (size_t i = 0; i < plan->count; i++)
		if (plan->entries[i].role == PLAN_STREAM_CONNECTION)
			inherited_drop(server->list, plan->entries[i].fd);
}

int server_new(const struct server_order *order, struct server **ret)
{
	struct server *server = calloc(1, sizeof *server);
	int error;

	if (!server)
		return -ENOMEM;
	server->options = order->options;
	server->program = order->program;
	server->list = order->list;
	server->ledgers = order->ledgers;
	server->setup = setup_ref(order->setup);
	LIST_INIT(&server->elders.list);
	server->successor_fd = -1;
	server->status_wanted.run = server_hear_status_wanted;
	server->worker_ended.run = hear_ended;
	clock_gettime(CLOCK_REALTIME, &server->started);
	error = begin(server, order);
	drop_connections(server);
	if (error < 0) {
		server_free(&server);
		return error;
	}
	settle_given(order->given, server->setup->plan);
	*ret = server;
	return 0;
}

bool server_has_ports(const struct server *server)
{
	const struct plan *plan = server->setup->plan;

	for (size_t i = 0; i < plan->count; i++)
		if (plan->entries[i].role != PLAN_STREAM_CONNECTION)
			return true;
	return false;
}

static void acknowledge(struct server *server)
{
	int error = einhorn_acknowledge(server->list);

	if (error < 0)
		log_warning("Einhorn cannot be told that adoptd is ready: %s",
			    adopt_error_text(error));
}

int server_run(struct server *server)
{
	int error;

	server_tell_ready(server);
	acknowledge(server);
	/* An Accept=yes or inetd instance ends when its connection does. */
	if (!server_has_ports(server))
		server_retire(server);
	server_await_idle(server);
	error = adopt_reactor_run(server->reactor);
	notify_stopping("Stopping");
	return error;
}

bool server_has_stands(const struct server *server)
{
	return server->servings[0].setup != NULL;
}

void server_stop(struct server *server)
{
	server->state = SERVER_ENDING;
	adopt_reactor_stop(server->reactor);
}

/* Factories and protocols outlive what they built, so the reactors end first. */
void server_free(struct server **gone)
{
	struct server *server = *gone;

	*gone = NULL;
	if (!server)
		return;
	server_call_off_hand_over(server);
	elders_forget(&server->elders);
	for (size_t i = 0; i < SERVER_SIGNALS; i++)
		adopt_signal_free(&server->signals[i]);
	adopt_timer_free(&server->drain_timer);
	adopt_timer_free(&server->idle_timer);
	adopt_timer_free(&server->status_timer);
	server_tell_repeats(server);
	watchdog_stop(server->watchdog);
	server->state = SERVER_ENDING;
	workers_free(&server->workers, server->worker_count);
	watchdog_free(&server->watchdog);
	for (unsigned i = 0; server->servings && i < server->worker_count; i++)
		serving_done(&server->servings[i]);
	control_free(&server->control);
	drained_done(&server->drained);
	setup_unref(&server->setup);
	slots_unref(&server->slots);
	sandbox_done(&server->sandbox);
	free(server->servings);
	free(server->loads);
	if (server->successor_fd >= 0)
		close(server->successor_fd);
	free(server);
}
