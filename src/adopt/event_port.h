/* event_port.h - what all ports on libevent have: their descriptor, pauses, rests, the end */
#ifndef ADOPT_EVENT_PORT_H
#define ADOPT_EVENT_PORT_H

#include "event_reactor.h"

struct event_port;

/* What a kind of port does by itself. */
struct event_port_kind {
	/* event_port_stop() and its likes below, and what the kind adds. */
	struct adopt_port_ops ops;
	/* Libevent's callback when there is something to take; the argument is the port. */
	event_callback_fn readable;
	/* It has been closed: frees it and tells whom it concerns. */
	void (*ended)(struct event_port *port);
};

/* First in each kind's own struct, which calloc() has made. */
struct event_port {
	struct adopt_port base; /* first */
	LIST_ENTRY(event_port) link;
	const struct event_port_kind *kind;
	struct event readable;
	struct adopt_timer *rest;
	struct adopt_call stopped;
	int fd;
	bool paused;
	bool resting; /* something ran out: not trying for a moment */
	bool stopping;
};

/*
 * Gives a port a duplicate of a descriptor and a place in its reactor.
 * port: all zero but what the kind has added.
 * fd: a socket; stays the caller's.
 * kind: kept; static.
 * Returns 0; -ECANCELED where the reactor ends; -ENOMEM; -EMFILE or another negative errno
 * of fcntl(2), with F_DUPFD_CLOEXEC. Undo it with event_port_close().
 */
int event_port_open(struct event_port *port, struct event_reactor *reactor, int fd,
		    const struct event_port_kind *kind);

/* Closes a port that has not started, and frees what event_port_open() has made: the port
 * itself stays its kind's. */
void event_port_close(struct event_port *port);

/* Counts a port that is open, and takes what comes from now on. */
void event_port_start(struct event_port *port);

/* Has a port that has started take nothing for a moment: something ran out. */
void event_port_rest(struct event_port *port);

/* Ends a port that has started, at once: its kind's ended() frees it. */
void event_port_end(struct event_port *port);

/* As in struct adopt_port_ops. */
void event_port_stop(struct adopt_port *port);
void event_port_pause(struct adopt_port *port);
void event_port_resume(struct adopt_port *port);
int event_port_local(struct adopt_port *port, struct adopt_address *ret);

#endif
