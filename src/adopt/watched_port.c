/* A listening or datagram socket that is only looked at: others take what comes. */
#include "event_reactor.h"
#include "socket.h"

#include <errno.h>
#include <stdlib.h>

struct watched_port {
	struct adopt_port base;
	LIST_ENTRY(watched_port) link;
	struct event readable;
	struct adopt_timer *rest;
	struct adopt_call stopped;
	struct adopt_lookout *lookout;
	int fd;
	bool paused;
	bool resting; /* cannot be watched: not trying for a moment */
	bool stopping;
};

static void watch(struct watched_port *port)
{
	if (port->paused || port->resting || port->stopping)
		event_del(&port->readable);
	else if (event_add(&port->readable, NULL) < 0) {
		port->resting = true;
		adopt_timer_start(port->rest, REST_MS);
	}
}

static void rested(void *context)
{
	struct watched_port *port = context;

	port->resting = false;
	watch(port);
}

static void somebody_waits(evutil_socket_t fd, short what, void *argument)
{
	struct watched_port *port = argument;

	(void)fd;
	(void)what;
	port->lookout->ops->waiting(port->lookout);
}

static void port_free(struct watched_port *port)
{
	adopt_timer_free(&port->rest);
	socket_close(port->fd);
	free(port);
}

void watched_port_end(struct watched_port *port)
{
	struct adopt_reactor *reactor = port->base.reactor;
	struct adopt_lookout *lookout = port->lookout;

	adopt_call_cancel(reactor, &port->stopped);
	event_del(&port->readable);
	LIST_REMOVE(port, link);
	port_free(port);
	lookout->port = NULL;
	if (lookout->ops->stop)
		lookout->ops->stop(lookout);
	adopt_count_port_stopped(reactor);
}

static void port_stopped(struct adopt_call *call)
{
	watched_port_end(
		(struct watched_port *)((char *)call - offsetof(struct watched_port, stopped)));
}

static void port_stop(struct adopt_port *base)
{
	struct watched_port *port = (struct watched_port *)base;

	port->stopping = true;
	watch(port);
	adopt_call_soon(base->reactor, &port->stopped);
}

static void port_pause(struct adopt_port *base)
{
	struct watched_port *port = (struct watched_port *)base;

	port->paused = true;
	watch(port);
}

static void port_resume(struct adopt_port *base)
{
	struct watched_port *port = (struct watched_port *)base;

	port->paused = false;
	watch(port);
}

static int port_local(struct adopt_port *base, struct adopt_address *ret)
{
	return socket_local(((struct watched_port *)base)->fd, ret);
}

static int port_descriptor(const struct adopt_port *base)
{
	return ((const struct watched_port *)base)->fd;
}

static const struct adopt_port_ops ops = {
	.stop = port_stop,
	.pause = port_pause,
	.resume = port_resume,
	.local = port_local,
	.descriptor = port_descriptor,
};

static int port_new(struct event_reactor *reactor, int fd, struct adopt_lookout *lookout,
		    struct watched_port **ret)
{
	struct watched_port *port = calloc(1, sizeof *port);
	int error;

	if (!port)
		return -ENOMEM;
	*port = (struct watched_port){
		.base = {.ops = &ops, .reactor = &reactor->base},
		.stopped = {.run = port_stopped},
		.lookout = lookout,
		.fd = -1,
	};
	error = adopt_timer_new(&reactor->base, rested, port, &port->rest);
	if (error == 0)
		error = port->fd = event_reactor_keep(reactor, socket_duplicate(fd));
	if (error < 0) {
		port_free(port);
		return error;
	}
	event_assign(&port->readable, reactor->events, port->fd, EV_READ | EV_PERSIST,
		     somebody_waits, port);
	*ret = port;
	return 0;
}

/* Whether it blocks does not matter: nothing is read here. */
static int judge(int fd, int family)
{
	struct adopt_socket_kind kind;
	int error = adopt_socket_inspect(fd, &kind);

	if (error < 0)
		return error;
	if (kind.type != SOCK_DGRAM && kind.type != SOCK_STREAM && kind.type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	if ((family != AF_UNSPEC && family != kind.family) || !adopt_family_supported(kind.family))
		return -EAFNOSUPPORT;
	return kind.type != SOCK_DGRAM && !kind.listening ? -EINVAL : 0;
}

int event_watched_port(struct adopt_reactor *base, int fd, int family,
		       struct adopt_lookout *lookout, struct adopt_port **ret)
{
	struct event_reactor *reactor = event_reactor(base);
	struct watched_port *port;
	int error = judge(fd, family);

	if (error < 0)
		return error;
	if (reactor->ending)
		return -ECANCELED;
	error = port_new(reactor, fd, lookout, &port);
	if (error < 0)
		return error;
	LIST_INSERT_HEAD(&reactor->watched_ports, port, link);
	adopt_count_port(base);
	watch(port);
	lookout->port = &port->base;
	if (ret)
		*ret = &port->base;
	return 0;
}
