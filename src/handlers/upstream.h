/* upstream.h - one server that a proxy sends clients to, and whether it answers */
#ifndef HANDLERS_UPSTREAM_H
#define HANDLERS_UPSTREAM_H

#include "health.h"

/* One address, as one reactor has it. It is counted by reference: a resolver may take it
 * from its list while clients still use it. */
struct upstream {
	struct adopt_address address;
	const void *origin; /* what it was found by: those of one name have the same */
	bool named;         /* found by a name: there may be others of the same origin */
	unsigned priority;  /* lower ones are used first */
	unsigned weight;    /* its share among equals, at least 1 */
	unsigned references;
	struct health *health; /* shared with other reactors */
	int64_t credit;        /* balance.c's: what it is owed of the turns */
};

/* A failed upstream is left alone for so long, and twice as long each time. */
#define UPSTREAM_PAUSE_MIN_MS 1000
#define UPSTREAM_PAUSE_MAX_MS 60000

/*
 * Makes an upstream with one reference.
 * health: taken for this address; the upstream gives it back, at once where it fails. NULL
 * is a failure.
 * Returns it, or NULL without memory.
 */
struct upstream *upstream_new(const struct adopt_address *address, struct health *health,
			      const void *origin, bool named);

/* Takes and gives back a reference; the last one frees. Giving back sets it NULL; NULL
 * inside is harmless. */
struct upstream *upstream_ref(struct upstream *upstream);
void upstream_unref(struct upstream **upstream);

/* Counts a client that it gets, and one that it had; tells how many it has. */
void upstream_enter(struct upstream *upstream);
void upstream_leave(struct upstream *upstream);
unsigned upstream_active(const struct upstream *upstream);

/* Tells whether it answered last, or has been left alone for long enough. */
bool upstream_usable(const struct upstream *upstream, uint64_t now_ms);

/* Notes that it is being tried: one that had failed is then left alone by all others, for
 * longer than before, unless it answers. */
void upstream_tried(struct upstream *upstream, uint64_t now_ms);

/* Tells whether an error of connecting or sending is the upstream's, and not that we are
 * short of descriptors or memory. error: a negative errno. */
bool upstream_at_fault(int error);

/* Note how it did; a change is logged once each way. error: a negative errno. */
void upstream_failed(struct upstream *upstream, int error, uint64_t now_ms);
void upstream_answered(struct upstream *upstream);

#endif
