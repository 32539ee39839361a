/* start_unit.h - asks systemd to start the unit that an upstream belongs to */
#ifndef HANDLERS_START_UNIT_H
#define HANDLERS_START_UNIT_H

#include "adopt/adopt.h"

#include <stdatomic.h>

struct start_unit;

/* What all know who may ask for one unit: those of all threads, for streams and for
 * datagrams. Begins zero. */
struct start_unit_memory {
	_Atomic uint64_t asked_ms; /* when it was asked for; 0: it has not been */
	atomic_bool served;        /* it has answered since */
};

/* Returns what is wrong with starting a unit by this name here, or NULL. */
const char *start_unit_judge(const char *unit);

/* Loads libsystemd, so that units can be started. Returns 0; -ENOMEM; -ENOSYS where it cannot
 * be loaded, and library_error_text() says why. */
int start_unit_prepare(void);

/*
 * Makes what asks for a unit: of the user's manager where adoptd is a unit of it, else of
 * the system's.
 * unit: start_unit_judge() has found nothing wrong with it; to outlive what is made.
 * memory: shared by all who ask for it; likewise.
 * ret: free with start_unit_free().
 * Returns 0; -ENOMEM; start_unit_prepare()'s errors.
 */
int start_unit_new(struct adopt_reactor *reactor, const char *unit,
		   struct start_unit_memory *memory, struct start_unit **ret);
void start_unit_free(struct start_unit **start);

/* A client is there: asks (org.freedesktop.systemd1.Manager.StartUnit), unless somebody
 * has. What comes of it is logged. */
void start_unit_needed(struct start_unit *start);

/* An upstream has answered. */
void start_unit_served(struct start_unit *start);

/* Nobody answers: a unit that did has ended, and is asked for again; one that never did,
 * every ten seconds. */
void start_unit_missed(struct start_unit *start);

/* Closes the bus: for when the last client has gone, and before the reactor goes. */
void start_unit_stop(struct start_unit *start);

#endif
