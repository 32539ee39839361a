/* Lines of the log that repeat one are held back, and told as a number a second later. */
#include "server_parts.h"

#include <stddef.h>

#define INTERVAL_MS 1000

/* In any worker's thread. */
static void held(void *context)
{
	struct server *server = context;

	adopt_call_from_thread(server->reactor, &server->repeats_held);
}

static void hear_held(struct adopt_call *call)
{
	struct server *server =
		(struct server *)((char *)call - offsetof(struct server, repeats_held));

	adopt_timer_start(server->repeats_timer, INTERVAL_MS);
}

static void tell(void *context)
{
	struct server *server = context;

	if (log_flush())
		adopt_timer_start(server->repeats_timer, INTERVAL_MS);
}

int server_hold_repeats(struct server *server)
{
	int error = adopt_timer_new(server->reactor, tell, server, &server->repeats_timer);

	server->repeats_held.run = hear_held;
	if (error == 0)
		log_hold_repeats(held, server);
	return error;
}

void server_tell_repeats(struct server *server)
{
	if (server->repeats_timer)
		log_hold_repeats(NULL, NULL);
	adopt_timer_free(&server->repeats_timer);
}
