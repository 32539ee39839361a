/*
 * gate.h - who may come through a port block, and how many
 *
 * The accounting of one port block in one reactor: allow, deny, max-connections,
 * max-connections-per-source and rate-per-source of adoptd.conf(5). A connection is
 * begun when it is accepted, admitted once its peer is known (after a PROXY header
 * perhaps), and ended when it is over. What is not asked for costs nothing.
 */
#ifndef ROUTING_GATE_H
#define ROUTING_GATE_H

#include "adopt/adopt.h"
#include "gate_settings.h"

#include <stddef.h>

struct gate;
struct gate_source;

/* One connection. It lies in the caller's own struct; initialize with zeroes, end
 * it before the struct goes away. Its members are the gate's. */
struct gate_ticket {
	struct gate *gate;          /* NULL before the begin and after the end */
	struct gate_source *source; /* who it is counted for, NULL for nobody */
};

/*
 * Creates a gate.
 * settings, port_name: outlive the gate; the name is for the log.
 * reactor: its clock is used until the last gate_admit().
 * ret: free with gate_free(), after the last ticket has ended.
 * Returns 0 or -ENOMEM.
 */
int gate_new(const struct gate_settings *settings, const char *port_name,
	     struct adopt_reactor *reactor, struct gate **ret);

/* Frees a gate and sets it NULL; NULL inside is harmless. Its ports stay as they are,
 * perhaps paused. */
void gate_free(struct gate **gate);

/*
 * Adds a port: it is paused while max-connections is reached, at once if it is now.
 * port: belongs to the caller, who must not pause or resume it meanwhile, and takes
 * it out before it ends.
 * Returns 0 or -ENOMEM.
 */
int gate_add_port(struct gate *gate, struct adopt_port *port);

/* Take out a port, or all of them, without a look at them: a port may have ended
 * already. Harmless for a port that is not there. */
void gate_remove_port(struct gate *gate, const struct adopt_port *port);
void gate_remove_ports(struct gate *gate);

/* Begins a ticket: from now on it counts toward max-connections. It is counted past the
 * limit as well, as connections may come by ways other than the gate's ports. */
void gate_begin(struct gate *gate, struct gate_ticket *ticket);

/*
 * Decides whether a connection may stay; if so it counts for its source. One that may
 * not costs its source nothing, still counts toward max-connections until it is ended,
 * and is told in the log, at most one a second. UNIX and VSOCK peers have no source.
 * ticket: begun, and not admitted yet.
 * peer: who it is for; `length` 0 where nobody knows, which no network holds.
 * Returns 0; -EACCES if deny has the peer, or allow is given and has it not; -EDQUOT if
 * its source has max-connections-per-source already; -EBUSY if its source is over
 * rate-per-source; -ENOMEM.
 */
int gate_admit(struct gate_ticket *ticket, const struct adopt_address *peer);

/* Ends a ticket. Harmless for one that has ended, or that has never begun. */
void gate_end(struct gate_ticket *ticket);

/* Returns how many sources are counted now, for max-connections-per-source. */
size_t gate_sources(const struct gate *gate);

#endif
