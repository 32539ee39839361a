/*
 * serving.h - what one worker serves: a stand for each port block of the setup
 *
 * A new setup is prepared, which may fail, and then committed, which may not, or
 * discarded. Used in the worker's thread only.
 */
#ifndef DAEMON_SERVING_H
#define DAEMON_SERVING_H

#include "drained.h"
#include "stand.h"
#include "support/news.h"

struct serving;

/* What a serving tells whoever runs it, in the worker's thread. */
struct serving_owner_ops {
	/* The first work of all its stands begins, the last has ended. */
	void (*busy)(struct serving *serving, bool busy);
	/* Its last stand has gone, after serving_retire(). */
	void (*ended)(struct serving *serving);
};

struct serving {
	struct adopt_observer observer; /* first */
	const struct serving_owner_ops *owner;
	void *context; /* the owner's */
	struct adopt_reactor *reactor;
	unsigned worker, workers;
	struct spread spread;
	struct quota quota;
	struct roll roll;
	struct setup *setup; /* NULL before the first, and once retired */
	struct stand **stands;
	struct setup *next; /* prepared */
	struct stand **next_stands;
	LIST_HEAD(, stand) retired;
	size_t busy_stands;
	unsigned holds;
	bool full; /* the quota's */
	struct news pauses;
	bool ending;
	uint64_t clients_gone; /* host.clients of the stands that have gone, and have no heir */
	const struct drained *drained; /* set by the owner, changed while no job runs; NULL: none */
};

/* What a serving has, for people and programs. */
struct serving_counts {
	size_t ports;
	size_t connections; /* of clients, sessions of datagrams too */
	size_t work;        /* pieces in hand, see host.h */
	uint64_t clients;   /* that have come since the start */
	double rate;        /* and how many a second, lately */
};

/* What a serving has of one port block, also where a reload has replaced it. */
struct serving_port_counts {
	size_t connections;
	uint64_t clients;
	bool held; /* it does not accept now */
};

/*
 * Begins serving nothing.
 * loads: one for each worker, of which this sets its own; NULL where there is one worker.
 * slots: of all connections of all workers.
 * All outlive it.
 */
void serving_init(struct serving *serving, struct adopt_reactor *reactor, unsigned worker,
		  unsigned workers, struct spread_load *loads, struct slots *slots,
		  const struct serving_owner_ops *owner, void *context);

/*
 * Makes the stands of a setup whose blocks are new or have changed; they accept nothing
 * yet. Connections that were handed over are adopted with the first setup.
 * Returns 0 or a negative errno, having logged what failed; then nothing has changed.
 */
int serving_prepare(struct serving *serving, struct setup *setup);

/* Serves what was prepared, and retires what it replaces. */
void serving_commit(struct serving *serving);

/* Gives up what was prepared; harmless where nothing was. */
void serving_discard(struct serving *serving);

/* Retires all: `ended` is called, on a later turn, when nothing is in hand any more.
 * Harmless twice. */
void serving_retire(struct serving *serving);

/* Stop and restart accepting and receiving, on all stands; each hold needs its release. */
void serving_hold(struct serving *serving);
void serving_release(struct serving *serving);

/* Accepts or not on each stand, as `drained` says. */
void serving_heed_drained(struct serving *serving);

/* Counts what there is, of all and of the present setup's port block with this index. */
void serving_count(const struct serving *serving, struct serving_counts *ret);
void serving_count_port(const struct serving *serving, size_t index,
			struct serving_port_counts *ret);

/* Ends it, after its reactor. */
void serving_done(struct serving *serving);

#endif
