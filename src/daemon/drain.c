/* The end in peace: no new clients, and time for those who are there. */
#include "notify.h"
#include "server_parts.h"

/* How often the supervisor is told that it goes on. */
#define TICK_MS 5000

static int retire(struct serving *serving, void *context)
{
	(void)context;
	serving_retire(serving);
	return 0;
}

/* The timer's: it is over, or the supervisor is to be asked for more time. */
void server_drain_tick(void *context)
{
	struct server *server = context;
	uint64_t until_ms = server->drain_until_ms;
	uint64_t now_ms = adopt_reactor_now_ms(server->reactor), next_ms = TICK_MS;

	if (until_ms > 0 && now_ms >= until_ms) {
		log_notice("drain-timeout: what is left is closed");
		server_stop(server);
		return;
	}
	notify_draining(2 * TICK_MS);
	if (until_ms > 0 && until_ms - now_ms < next_ms)
		next_ms = until_ms - now_ms;
	if (until_ms > 0 && !notify_wanted())
		next_ms = until_ms - now_ms;
	if (until_ms > 0 || notify_wanted())
		adopt_timer_start(server->drain_timer, next_ms);
}

void server_retire(struct server *server)
{
	server_each(server, retire, NULL);
	/* Nobody would accept from these, and the supervisor does not have them. */
	plan_close_ports(server->setup->plan);
}

void server_drain(struct server *server, uint64_t timeout_ms)
{
	if (server->state != SERVER_SERVING)
		return;
	server_call_off_hand_over(server);
	server->state = SERVER_DRAINING;
	adopt_timer_free(&server->idle_timer);
	adopt_timer_stop(server->status_timer);
	if (timeout_ms > 0)
		server->drain_until_ms = adopt_reactor_now_ms(server->reactor) + timeout_ms;
	server_drain_tick(server);
	server_retire(server);
}

void server_end_if_drained(struct server *server)
{
	if (atomic_load(&server->ended_workers) == server->worker_count &&
	    !elders_are_there(&server->elders))
		server_stop(server);
}
