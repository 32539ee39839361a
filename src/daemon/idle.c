/*
 * idle-exit: the end when nobody has been there for a while.
 *
 * A client may come in the very moment. So accepting pauses first; then whoever has been
 * accepted is seen, and whoever has not waits in the socket, where this sees him, or the
 * supervisor does.
 */
#include "server_parts.h"

#include <errno.h>
#include <poll.h>

static int hold(struct serving *serving, void *context)
{
	(void)context;
	serving_hold(serving);
	return 0;
}

static int release(struct serving *serving, void *context)
{
	(void)context;
	serving_release(serving);
	return 0;
}

static bool somebody_waits(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct pollfd port = {.fd = plan->entries[i].fd, .events = POLLIN};

		if (plan->entries[i].role != PLAN_STREAM_CONNECTION && poll(&port, 1, 0) == 1)
			return true;
	}
	return false;
}

static void await(struct server *server, uint64_t ms)
{
	adopt_timer_start(server->idle_timer, ms);
}

/* Returns how long nothing has been in hand. */
static uint64_t idle_ms(struct server *server)
{
	uint64_t now_ms = adopt_reactor_now_ms(server->reactor);
	uint64_t since_ms = atomic_load(&server->idle_since_ms);

	return atomic_load(&server->busy_workers) > 0 || since_ms > now_ms ? 0 : now_ms - since_ms;
}

static void idle_over(void *context)
{
	struct server *server = context;
	uint64_t after_ms = server->setup->config->idle_exit_ms;
	uint64_t so_far_ms = idle_ms(server);

	/* This is begun anew when the one has failed, and when the others have ended. */
	if (server->handover || elders_are_there(&server->elders))
		return;
	if (so_far_ms < after_ms) {
		await(server, after_ms - so_far_ms);
		return;
	}
	/* The next start would not know of it. */
	if (server->drained.count > 0) {
		await(server, after_ms);
		return;
	}
	server_each(server, hold, NULL);
	if (idle_ms(server) >= after_ms && !somebody_waits(server->setup->plan)) {
		log_info("idle: exiting");
		server_drain(server, 0);
		return;
	}
	server_each(server, release, NULL);
	await(server, after_ms);
}

/* The clients that come and go do not touch the timer: it looks when it is due. */
void server_await_idle(struct server *server)
{
	uint64_t after_ms = server->setup->config->idle_exit_ms;

	if (server->state != SERVER_SERVING)
		return;
	if (after_ms == 0) {
		adopt_timer_free(&server->idle_timer);
		return;
	}
	if (!server->idle_timer &&
	    adopt_timer_new(server->reactor, idle_over, server, &server->idle_timer) < 0) {
		log_error("idle-exit: %s", adopt_error_text(-ENOMEM));
		return;
	}
	if (atomic_load(&server->idle_since_ms) == 0)
		atomic_store(&server->idle_since_ms, adopt_reactor_now_ms(server->reactor));
	await(server, after_ms > idle_ms(server) ? after_ms - idle_ms(server) : 0);
}
