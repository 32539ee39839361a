/* server.h - a reactor that serves what the plan says */
#ifndef DAEMON_SERVER_H
#define DAEMON_SERVER_H

#include "activation/activation.h"
#include "config.h"
#include "plan.h"

struct server;

/*
 * Makes a reactor and adopts every descriptor of the plan for its handler. What
 * fails is logged.
 * config, plan: outlive the server.
 * list: connections are dropped from it once they are adopted, so that nothing
 * but the reactor keeps them open.
 * ret: free with server_free().
 * Returns 0 or a negative errno.
 */
int server_new(const struct config *config, const struct plan *plan, struct inherited_list *list,
	       struct server **ret);

/* Tells how many ports it has. */
size_t server_port_count(const struct server *server);

/*
 * Serves until a signal asks for the end, or until neither a port nor a
 * connection is left. Tells the supervisor of both.
 * Returns 0 or a negative errno.
 */
int server_run(struct server *server);

/* Ends what is left and frees the server, and sets it NULL; NULL inside is
 * harmless. */
void server_free(struct server **server);

#endif
