/* block.h - a port block at work in one reactor: its handlers, and its routers */
#ifndef DAEMON_BLOCK_H
#define DAEMON_BLOCK_H

#include "config.h"
#include "support/host.h"

/* Initialize with block_init(). Everything is made when it is first needed. */
struct block {
	struct host host; /* first */
	const struct config_port *port;
	struct ledger *ledger;
	struct adopt_factory *own;      /* the port's own handler's */
	struct adopt_factory **factory; /* the routes' handlers', in their order */
	struct router *router;          /* in front of them */
};

/* The protocols of one datagram port of a block. */
struct block_datagrams {
	struct block *block;
	struct adopt_datagram_protocol *own;
	struct adopt_datagram_protocol **protocol; /* the routes' handlers', in their order */
	struct datagram_router *router;            /* NULL where the port needs none */
};

/*
 * Begins a block.
 * port, reactor: outlive it.
 * ledger: the port block's, with its limits; outlives it.
 * busy: as in host.h; may be NULL.
 */
void block_init(struct block *block, const struct config_port *port, struct adopt_reactor *reactor,
		struct ledger *ledger, void (*busy)(struct host *host, bool busy));

/* Frees what it made, after the last of its ports and its work. */
void block_done(struct block *block);

/*
 * Tells the factory to adopt its stream ports and connections with.
 * Returns 0; -ESOCKTNOSUPPORT if a handler of the block serves no streams; another
 * negative errno of a handler.
 */
int block_factory(struct block *block, struct adopt_factory **ret);

/*
 * Makes the protocol to adopt one datagram port with.
 * datagrams: zeros; block_datagrams_done() frees what is in it, after the port has stopped.
 * Returns 0; -ESOCKTNOSUPPORT if a handler of the block serves no datagrams; another
 * negative errno of a handler.
 */
int block_datagrams(struct block *block, struct block_datagrams *datagrams,
		    struct adopt_datagram_protocol **ret);
void block_datagrams_done(struct block_datagrams *datagrams);

/* Has its handlers begin no new sessions, and end those that they have: see handler.h. */
void block_datagrams_drain(struct block_datagrams *datagrams);

#endif
