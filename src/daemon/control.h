/*
 * control.h - where adoptctl is answered: on the control socket, by the first worker
 *
 * Those who ask are no clients: nothing waits for their end, and no limit of clients is for
 * them. They have limits of their own: of how many there are, how long a request is, and
 * how long one may take to ask, and to read the answer.
 */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include "setup.h"

struct control;
struct server;

/* More at once wait in the socket's queue. */
#define CONTROL_CLIENTS_MAX 32

/* Who neither asks nor reads for so long is cut off. */
#define CONTROL_PATIENCE_MS 60000

/* Makes one without a socket. server: outlives it. ret: free with control_free(), after the
 * reactor. Returns 0 or -ENOMEM. */
int control_new(struct server *server, struct control **ret);
void control_free(struct control **control);

/*
 * Prepares to accept from the control socket of a setup, or from none; nothing changes
 * before control_commit(), and control_discard() forgets it. Those who are there stay.
 * Returns 0 or what adopt_stream_port() returns.
 */
int control_prepare(struct control *control, const struct setup *setup);
void control_commit(struct control *control);
void control_discard(struct control *control);

/* Accepts no more, as another adoptd does from the same socket; those who are there stay. */
void control_close(struct control *control);

#endif
