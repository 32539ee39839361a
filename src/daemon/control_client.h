/* control_client.h - one adoptctl, which asks and is answered line by line */
#ifndef DAEMON_CONTROL_CLIENT_H
#define DAEMON_CONTROL_CLIENT_H

#include "adopt/adopt.h"

struct control;
struct control_client;
struct server;

/* What its owner is told: it has gone, and is freed when this returns. */
typedef void control_client_gone(struct control *control);

/* Makes a protocol for one connection, which frees itself. server, control: outlive it.
 * Returns it, or NULL where memory is short. */
struct adopt_protocol *control_client_new(struct server *server, struct control *control,
					  control_client_gone *gone);

#endif
