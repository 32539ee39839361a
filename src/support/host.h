/*
 * host.h - where the handlers and the router of one port block work: in one reactor
 *
 * What they ask of whom they work for: to have the block's stream ports accept no more
 * for a while, and to know what is in hand (connections, sessions, child processes), so
 * that nothing is freed, and no daemon ends, under it. Used in the reactor's thread only.
 */
#ifndef SUPPORT_HOST_H
#define SUPPORT_HOST_H

#include "quota.h"
#include "roll.h"

struct host {
	struct adopt_reactor *reactor;
	/* The first work begins (true), the last has ended (false): called from inside of
	 * whatever does so. May be NULL. */
	void (*busy)(struct host *host, bool busy);
	struct quota *block_quota;  /* of the port block's connections, or NULL */
	struct quota *worker_quota; /* of all the reactor's, or NULL */
	struct roll *roll;          /* of the reactor's clients, or NULL */
	uint64_t clients;           /* host.c's: how many have entered */
	size_t present;             /* host.c's: how many of them are there */
	size_t work;                /* host.c's: how much is in hand */
	struct adopt_port **ports;  /* host.c's: those that it pauses */
	size_t port_count;
	unsigned holds; /* host.c's: how many want accepting to pause */
};

/* Begins a host without ports or work. reactor: outlives it. */
void host_init(struct host *host, struct adopt_reactor *reactor,
	       void (*busy)(struct host *host, bool busy));

/* Frees what is in it; its ports stay as they are. Harmless for one that is all zeros. */
void host_done(struct host *host);

/* Count a piece of work that is not over when a callback returns. */
void host_work_begin(struct host *host);
void host_work_end(struct host *host);

/* Count a client toward the quotas, from when it is accepted until it is gone. */
void host_client_begin(struct host *host);
void host_client_end(struct host *host);

/* Enter a client who is to be listed, and counted as one that has come; and take it out.
 * entry: as roll_enter() wants it. */
void host_enter(struct host *host, struct roll_entry *entry);
void host_leave(struct host *host, struct roll_entry *entry);

/*
 * Adds a stream port, or a watched one, whose pausing is the host's from now on; it is
 * paused at once while anybody holds the host. Returns 0 or -ENOMEM.
 */
int host_add_port(struct host *host, struct adopt_port *port);

/* Takes out all ports, without a look at them: they may have ended already. */
void host_remove_ports(struct host *host);

/* Pause accepting on all ports until each hold has been released. */
void host_hold(struct host *host);
void host_release(struct host *host);

#endif
