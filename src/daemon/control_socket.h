/* control_socket.h - the UNIX socket that adoptctl connects to */
#ifndef DAEMON_CONTROL_SOCKET_H
#define DAEMON_CONTROL_SOCKET_H

#include "config.h"
#include "support/listen.h"

/*
 * Opens the control socket that a configuration names, if it does: for nobody but adoptd's
 * own user, or for a group too. One that is open already at the same path is shared.
 * before: where that would be; NULL for none.
 * ret: an empty set; close it with listen_close().
 * Returns 0, or what listen_open_path() returns, having added a fault.
 */
int control_socket_open(const struct config *config, const struct listen_set *before,
			struct faults *faults, struct listen_set *ret);

/* Gives a control socket that is open its mode and its group again, where a configuration
 * that is not served after all has changed them. */
void control_socket_restore(const struct config *config, const struct listen_set *control);

#endif
