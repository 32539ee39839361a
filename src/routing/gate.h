/*
 * gate.h - who may come through a port block, and how many
 *
 * One reactor's door of a port block: allow, deny, max-connections,
 * max-connections-per-source and rate-per-source of adoptd.conf(5), counted in the
 * block's ledger. A connection is begun when it is accepted, admitted once its peer is
 * known (after a PROXY header perhaps), and ended when it is over.
 */
#ifndef ROUTING_GATE_H
#define ROUTING_GATE_H

#include "adopt/adopt.h"
#include "gate_settings.h"
#include "ledger.h"
#include "support/host.h"

#include <stddef.h>

struct gate;

/* One connection. It lies in the caller's own struct; initialize with zeroes, end
 * it before the struct goes away. Its members are the gate's. */
struct gate_ticket {
	struct gate *gate;            /* NULL before the begin and after the end */
	bool counted;                 /* toward max-connections */
	struct ledger_source *source; /* who it is counted for, NULL for nobody */
};

/*
 * Creates a gate, closed.
 * settings, port_name: outlive the gate; the name is for the log.
 * host: whose ports are held while max-connections is reached, and whose block_quota
 * this sets; its reactor's clock is used.
 * ledger: outlives the gate, and has the settings' limits.
 * ret: free with gate_free(), after the last ticket has ended.
 * Returns 0 or -ENOMEM.
 */
int gate_new(const struct gate_settings *settings, const char *port_name, struct host *host,
	     struct ledger *ledger, struct gate **ret);

/* Frees a gate that is closed and sets it NULL; NULL inside is harmless. */
void gate_free(struct gate **gate);

/* Opens it: from now on max-connections holds the host's ports where it is reached.
 * Closing ends that. Both are harmless twice. */
void gate_open(struct gate *gate);
void gate_close(struct gate *gate);

/* Begins a ticket: from now on it counts toward max-connections. It is counted past the
 * limit as well, as connections may come by ways other than the host's ports. */
void gate_begin(struct gate *gate, struct gate_ticket *ticket);

/* Begins a ticket of a client without a connection: max-connections is not for it. */
void gate_begin_uncounted(struct gate *gate, struct gate_ticket *ticket);

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

#endif
