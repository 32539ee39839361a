/*
 * ledger.h - what a port block has let in, across threads
 *
 * The counts behind max-connections, max-connections-per-source and rate-per-source of
 * adoptd.conf(5). A block has one, which its gates in all reactors share, and which stays
 * when a reload gives it other limits. All calls are safe from any thread.
 */
#ifndef ROUTING_LEDGER_H
#define ROUTING_LEDGER_H

#include "gate_settings.h"
#include "source.h"
#include "support/slots.h"

struct ledger;
struct ledger_source;

/* Creates a ledger without limits. ret: free with ledger_free(), after the last gate.
 * Returns 0 or -ENOMEM. */
int ledger_new(struct ledger **ret);

/* Frees a ledger and sets it NULL; NULL inside is harmless. */
void ledger_free(struct ledger **ledger);

/* Sets the limits. Returns 0, or -ENOMEM, in which case nothing has changed. */
int ledger_set_limits(struct ledger *ledger, const struct gate_settings *settings);

/* Returns the slots of max-connections. */
struct slots *ledger_slots(struct ledger *ledger);

/*
 * Counts a connection for its source, and takes it from its rate.
 * now_ms: a monotonic time that all threads share.
 * ret: who it is counted for, for ledger_leave(); NULL where nobody is counted.
 * Returns 0; -EDQUOT if the source has max-connections-per-source already; -EBUSY if it
 * is over rate-per-source; -ENOMEM. What is refused costs nothing.
 */
int ledger_enter(struct ledger *ledger, const struct source *source, uint64_t now_ms,
		 struct ledger_source **ret);

/* The connection is over. source: NULL is harmless. */
void ledger_leave(struct ledger *ledger, struct ledger_source *source);

/* Returns how many sources have connections that are counted. */
size_t ledger_sources(struct ledger *ledger);

#endif
