#include "event_port.h"

#include "socket.h"

#include <errno.h>

static void watch(struct event_port *port)
{
	if (port->paused || port->resting || port->stopping)
		event_del(&port->readable);
	else if (event_add(&port->readable, NULL) < 0)
		event_port_rest(port);
}

static void rested(void *context)
{
	struct event_port *port = context;

	port->resting = false;
	watch(port);
}

void event_port_rest(struct event_port *port)
{
	port->resting = true;
	adopt_timer_start(port->rest, REST_MS);
	watch(port);
}

static void stopped(struct adopt_call *call)
{
	event_port_end((struct event_port *)((char *)call - offsetof(struct event_port, stopped)));
}

int event_port_open(struct event_port *port, struct event_reactor *reactor, int fd,
		    const struct event_port_kind *kind)
{
	int error;

	if (reactor->ending)
		return -ECANCELED;
	port->base = (struct adopt_port){.ops = &kind->ops, .reactor = &reactor->base};
	port->kind = kind;
	port->stopped.run = stopped;
	error = adopt_timer_new(&reactor->base, rested, port, &port->rest);
	if (error < 0)
		return error;
	error = port->fd = event_reactor_keep(reactor, socket_duplicate(fd));
	if (error < 0) {
		adopt_timer_free(&port->rest);
		return error;
	}
	event_assign(&port->readable, reactor->events, port->fd, EV_READ | EV_PERSIST,
		     kind->readable, port);
	LIST_INSERT_HEAD(&reactor->ports, port, link);
	return 0;
}

void event_port_close(struct event_port *port)
{
	adopt_call_cancel(port->base.reactor, &port->stopped);
	event_del(&port->readable);
	LIST_REMOVE(port, link);
	adopt_timer_free(&port->rest);
	socket_close(port->fd);
}

void event_port_start(struct event_port *port)
{
	adopt_count_port(port->base.reactor);
	watch(port);
}

void event_port_end(struct event_port *port)
{
	struct adopt_reactor *reactor = port->base.reactor;

	event_port_close(port);
	port->kind->ended(port);
	adopt_count_port_stopped(reactor);
}

void event_port_stop(struct adopt_port *base)
{
	struct event_port *port = (struct event_port *)base;

	port->stopping = true;
	watch(port);
	adopt_call_soon(base->reactor, &port->stopped);
}

void event_port_pause(struct adopt_port *base)
{
	struct event_port *port = (struct event_port *)base;

	port->paused = true;
	watch(port);
}

void event_port_resume(struct adopt_port *base)
{
	struct event_port *port = (struct event_port *)base;

	port->paused = false;
	watch(port);
}

int event_port_local(struct adopt_port *base, struct adopt_address *ret)
{
	return socket_local(((struct event_port *)base)->fd, ret);
}
