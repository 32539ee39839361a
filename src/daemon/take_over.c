/* The other side of the hand-over: this adoptd takes the place of those before it, which
 * drain. */
#include "notify.h"
#include "server_parts.h"

#include <stddef.h>
#include <string.h>

static void elders_gone(struct elders *elders)
{
	struct server *server = (struct server *)((char *)elders - offsetof(struct server, elders));

	server_await_idle(server);
	server_end_if_drained(server);
}

static const struct elders_ops elders_ops = {.gone = elders_gone};

/* By now nobody else serves, so this one does, whatever becomes of it. */
static void follow_elders(struct server *server)
{
	struct inherited_list *list = server->list;
	int error = 0;

	server->elders.ops = &elders_ops;
	server->elders.reactor = server->reactor;
	while (error == 0 && list->elder_count > 0) {
		error = elders_add(&server->elders, list->elders[list->elder_count - 1]);
		if (error == 0)
			list->elder_count--;
	}
	if (error < 0)
		log_warning("cannot wait for the adoptd before this one to end: %s",
			    strerror(-error));
}

int server_take_over(struct server *server)
{
	int error = handover_accept(server->list);

	if (error < 0) {
		log_notice("the adoptd before this one does not hand over to it");
		return error;
	}
	notify_silence(false);
	follow_elders(server);
	return 0;
}
