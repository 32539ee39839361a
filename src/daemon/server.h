/*
 * server.h - adoptd at work: workers that serve a setup, from the start to the end
 *
 * It reloads (reload.c), drains (drain.c), hands over (handover.c), exits when it is idle
 * (idle.c) and feeds the supervisor's watchdog (watchdog.c).
 */
#ifndef DAEMON_SERVER_H
#define DAEMON_SERVER_H

#include "activation/activation.h"
#include "options.h"
#include "program.h"
#include "setup.h"

struct server;

/* Where a server comes from. All but the setup outlives it. */
struct server_order {
	const struct options *options; /* to read the configuration again */
	const struct program *program; /* to hand over to */
	struct inherited_list *list;   /* connections are dropped from it once they are adopted */
	struct listen_set *given;      /* what an adoptd before opened; empty once it serves */
	struct ledgers *ledgers;
	struct setup *setup; /* takes a reference */
};

/*
 * Makes workers, and has them adopt every descriptor of the setup. Where an adoptd before
 * this one hands over, waits for it to leave that to this one. What fails is logged.
 * ret: free with server_free().
 * Returns 0 or a negative errno.
 */
int server_new(const struct server_order *order, struct server **ret);

/*
 * Serves until a signal, or idleness, asks for the end, or until neither a port nor a
 * connection is left. Tells the supervisor of both.
 * Returns 0 or a negative errno.
 */
int server_run(struct server *server);

/* Ends what is left and frees the server, and sets it NULL; NULL inside is
 * harmless. */
void server_free(struct server **server);

#endif
