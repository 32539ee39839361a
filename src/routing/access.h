/*
 * access.h - a line in the log for each connection, at its end
 *
 * access-log of adoptd.conf(5), which has the fields.
 */
#ifndef ROUTING_ACCESS_H
#define ROUTING_ACCESS_H

#include "adopt/adopt.h"

/* One connection's line. It writes and frees itself when the connection has ended. */
struct access;

/*
 * Begins a connection's line.
 * port_name: outlives the connection.
 * Returns it; NULL where memory is short, which the functions below take as well.
 */
struct access *access_begin(struct adopt_transport *transport, const char *port_name);

/* Sets whom a PROXY header told as the peer. */
void access_set_peer(struct access *access, const struct adopt_address *peer);

/* Notes the handler that has the connection. route: counted from 1, 0 for the port's own.
 * handler: its name, which outlives the connection. */
void access_handled(struct access *access, size_t route, const char *handler);

/* Notes that the connection is not let in. */
void access_refused(struct access *access);

#endif
