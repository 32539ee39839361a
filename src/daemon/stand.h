/*
 * stand.h - a port block in one worker, with its ports
 *
 * It begins held, is opened, and is retired in the end: then it accepts no more, and goes
 * away when what it has in hand is over. Used in the worker's thread only.
 */
#ifndef DAEMON_STAND_H
#define DAEMON_STAND_H

#include "block.h"
#include "setup.h"
#include "spread.h"

#include <sys/queue.h>

struct stand;

/* What a stand tells whoever runs it. */
struct stand_owner_ops {
	/* As in host.h. */
	void (*busy)(struct stand *stand, bool busy);
	/* A retired stand goes away now. */
	void (*gone)(struct stand *stand);
};

/* One descriptor of the plan, adopted. */
struct stand_port {
	const struct plan_entry *entry;
	struct adopt_port *port; /* NULL once it is to stop */
	struct block_datagrams datagrams;
	struct adopt_lookout *lookout; /* of a port that its handler has whole, else NULL */
};

struct stand {
	struct block block; /* first */
	const struct stand_owner_ops *owner;
	void *context; /* the owner's */
	struct setup *setup;
	size_t index; /* of its port block */
	struct stand_port *ports;
	size_t port_count;
	unsigned holds;
	bool drained; /* the owner's: one of the holds is for that */
	bool retired;
	bool stopped; /* all its ports end, or have ended */
	struct adopt_call settle;
	struct spread_front front; /* the factory of ports that several workers share */
	LIST_ENTRY(stand) link;    /* the owner's */
};

/* Who a stand is for. */
struct stand_order {
	struct setup *setup;
	size_t index; /* of the port block */
	struct adopt_reactor *reactor;
	struct quota *quota;   /* of all connections of the worker */
	struct roll *roll;     /* likewise */
	struct spread *spread; /* NULL where there is one worker */
	unsigned worker, workers;
	const struct stand_owner_ops *owner;
	void *context;
};

/*
 * Makes a stand without ports.
 * order: takes a reference to the setup.
 * ret: the owner's until it is gone; end it with stand_retire().
 * Returns 0 or -ENOMEM.
 */
int stand_new(const struct stand_order *order, struct stand **ret);

/* Adopts its ports, held. order: that of stand_new(). What fails is logged. Returns 0 or
 * a negative errno. */
int stand_adopt_ports(struct stand *stand, const struct stand_order *order);

/*
 * Adopts the connections that its block was handed over. What fails is logged; a client
 * that has left, or that the handler will not have, is no failure.
 * Returns 0 or a negative errno.
 */
int stand_adopt_connections(struct stand *stand, const struct stand_order *order);

/* Stop and restart accepting and receiving; each hold needs its release. A stand that is
 * retired takes no notice. */
void stand_hold(struct stand *stand);
void stand_release(struct stand *stand);

/* Lets it accept no more; what it has in hand goes on, and then it is gone, on a later
 * turn. Harmless twice. */
void stand_retire(struct stand *stand);

/* Ends a stand whose reactor has ended. */
void stand_free(struct stand *stand);

/* Tells whether a port is one of its ports. */
bool stand_has(const struct stand *stand, const struct adopt_port *port);

/* Logs what each of its ports serves; of several workers the first that has it does. */
void stand_log(const struct stand *stand, unsigned worker, unsigned workers);

#endif
