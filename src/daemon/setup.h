/*
 * setup.h - a configuration, and which descriptors it is for: what a start or a reload
 * brings
 *
 * Immutable but for its count of references: workers share it, and connections that it
 * was there for keep it when another has taken its place.
 */
#ifndef DAEMON_SETUP_H
#define DAEMON_SETUP_H

#include "config.h"
#include "ledgers.h"
#include "plan.h"

#include <stdatomic.h>

/* Which workers adopt a descriptor: of several for one address, each has its own. */
struct setup_share {
	unsigned sibling;  /* which of them it is, from 0 */
	unsigned siblings; /* how many there are */
};

struct setup {
	atomic_uint references;
	struct config *config;
	struct plan *plan;
	struct setup_share *shares; /* of each entry of the plan */
	struct ledger **ledgers;    /* of each port block */
	struct listen_set control;  /* the control socket, where there is to be one */
	size_t *same;               /* of each: the index of the block in the setup before that
				     * it does not differ from, SETUP_NEW for none */
};

#define SETUP_NEW ((size_t)-1)

/* What a setup is made of. */
struct setup_order {
	struct config *config;            /* taken over on success */
	struct inherited_list *inherited; /* as plan_make() wants it */
	const struct listen_set *opened;  /* likewise */
	const struct listen_set *control; /* where the control socket may be open; or NULL */
	struct ledgers *ledgers;    /* where its port blocks find theirs; outlives the setup */
	const struct setup *before; /* that it is to replace, NULL for none */
};

/*
 * Makes a setup.
 * ret: with one reference.
 * Returns 0 or what plan_make() returns, having added its faults.
 */
int setup_new(const struct setup_order *order, struct faults *faults, struct setup **ret);

/*
 * Has the handlers' settings bound also what is in hand of earlier ones: each block those of
 * its port's name and its route's number; see handler.h.
 * before: the setup that is served, NULL for none, or where that is this one.
 */
void setup_succeed(struct setup *setup, const struct setup *before);

/* Takes a reference. Returns the setup. */
struct setup *setup_ref(struct setup *setup);

/* Gives a reference back, frees with the last, and sets it NULL; NULL inside is harmless. */
void setup_unref(struct setup **setup);

/* Tells whether a worker is to adopt the plan's entry. */
bool setup_is_for(const struct setup *setup, size_t entry, unsigned worker, unsigned workers);

/* Tells whether several workers adopt the entry's descriptor. */
bool setup_is_shared(const struct setup *setup, size_t entry, unsigned workers);

#endif
