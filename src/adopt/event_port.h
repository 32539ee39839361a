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
 * Returns 0; -ECANCELED where the reactor ends; -EMFILE or another negative errno of what
 * could not be had. Undo it with event_port_close().
 */
int event_port_open(struct event_port *port, struct event_reactor *reactor, int fd,
		    const struct event_port_kind *kind);

/* Closes a port that has not started, and frees only what event_port_open() has made. */
void event_port_close(struct event_port *port);

/* Counts it, and takes what comes from now on. */
void event_port_start(struct event_port *port);

/* Takes nothing for a moment: something ran out. */
void event_port_rest(struct event_port *port);

/* Ends one that has started, at once. */
void event_port_end(struct event_port *port);

/* As in struct adopt_port_ops. */
void event_port_stop(struct adopt_port *port);
void event_port_pause(struct adopt_port *port);
void event_port_resume(struct adopt_port *port);
int event_port_local(struct adopt_port *port, struct adopt_address *ret);

#endif
