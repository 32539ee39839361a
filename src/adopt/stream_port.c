/* A listening socket: accepting, and what to do when that fails. */
#include "event_reactor.h"
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

/* One wake-up accepts at most so many, so that a busy port cannot starve the
 * rest; the size grows while batches are filled. */
#define BATCH_START 100
#define BATCH_STEP 20
#define BATCH_MAX 1000

struct stream_port {
	struct adopt_port base;
	LIST_ENTRY(stream_port) link;
	struct event acceptable;
	struct adopt_timer *rest;
	struct adopt_call stopped;
	struct adopt_factory *factory;
	int fd;
	int type;
	int family;
	unsigned batch;
	bool paused;
	bool resting; /* something ran out: not accepting for a moment */
	bool stopping;
	bool troubled; /* the observer has been told, and not yet of the end */
};

static struct event_reactor *reactor_of(struct stream_port *port)
{
	return event_reactor(port->base.reactor);
}

static void watch(struct stream_port *port)
{
	if (port->paused || port->resting || port->stopping)
		event_del(&port->acceptable);
	else if (event_add(&port->acceptable, NULL) < 0) {
		port->resting = true;
		adopt_timer_start(port->rest, REST_MS);
	}
}

static void tell_trouble(struct stream_port *port, int error)
{
	struct adopt_observer *observer = port->base.reactor->observer;

	if (port->troubled == (error != 0))
		return;
	port->troubled = error != 0;
	if (observer && observer->ops->accept_trouble)
		observer->ops->accept_trouble(observer, &port->base, error);
}

static void rest(struct stream_port *port)
{
	port->resting = true;
	adopt_timer_start(port->rest, REST_MS);
	watch(port);
}

static void rested(void *context)
{
	struct stream_port *port = context;

	port->resting = false;
	watch(port);
}

/* No descriptor is left: with the reserve given up, those who wait are turned
 * away instead of being left hanging. */
static void turn_away(struct stream_port *port)
{
	struct event_reactor *reactor = reactor_of(port);
	struct adopt_address peer;

	if (reactor->reserve_fd >= 0) {
		socket_close(reactor->reserve_fd);
		for (unsigned i = 0; i < port->batch; i++) {
			int client = socket_accept(port->fd, &peer);

			if (client < 0)
				break;
			socket_close(client);
		}
	}
	reactor->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Returns whether the batch goes on after an accept that failed. */
static bool goes_on(struct stream_port *port, int error)
{
	switch (error) {
	case -EPERM: /* a firewall's word on this one client */
	case -EINTR:
		return true;
	case -EAGAIN:
	case -ECONNABORTED:
		return false;
	/* accept(2): errors of the client's network, pending on the new socket */
	case -ENETDOWN:
	case -EPROTO:
	case -ENOPROTOOPT:
	case -EHOSTDOWN:
	case -EHOSTUNREACH:
	case -EOPNOTSUPP:
	case -ENETUNREACH:
		return false;
	case -EMFILE:
		tell_trouble(port, error);
		turn_away(port);
		rest(port);
		return false;
	default:
		tell_trouble(port, error);
		rest(port);
		return false;
	}
}

static void begin(struct stream_port *port, int client, const struct adopt_address *peer)
{
	struct stream *stream = stream_new(reactor_of(port), client, port->type, peer);

	if (stream)
		stream_begin(stream, true, port->factory);
}

static void accept_batch(evutil_socket_t fd, short what, void *argument)
{
	struct stream_port *port = argument;
	unsigned left = port->batch;

	(void)fd;
	(void)what;
	event_reactor_enters(reactor_of(port));
	while (left > 0 && !port->paused && !port->stopping) {
		struct adopt_address peer;
		int client = event_reactor_keep(reactor_of(port), socket_accept(port->fd, &peer));

		left--;
		if (client >= 0) {
			tell_trouble(port, 0);
			begin(port, client, &peer);
			event_reactor_run_due(reactor_of(port));
		} else if (!goes_on(port, client)) {
			break;
		}
	}
	if (left > 0)
		port->batch = BATCH_START;
	else if (port->batch < BATCH_MAX)
		port->batch += BATCH_STEP;
	event_reactor_leaves(reactor_of(port));
}

void stream_port_end(struct stream_port *port)
{
	struct adopt_reactor *reactor = port->base.reactor;
	struct adopt_factory *factory = port->factory;

	adopt_call_cancel(reactor, &port->stopped);
	event_del(&port->acceptable);
	adopt_timer_free(&port->rest);
	socket_close(port->fd);
	LIST_REMOVE(port, link);
	free(port);
	adopt_factory_port_stopped(factory);
	adopt_count_port_stopped(reactor);
}

static struct stream_port *from_stopped(struct adopt_call *call)
{
	return (struct stream_port *)((char *)call - offsetof(struct stream_port, stopped));
}

static void port_stopped(struct adopt_call *call)
{
	stream_port_end(from_stopped(call));
}

static void port_stop(struct adopt_port *base)
{
	struct stream_port *port = (struct stream_port *)base;

	port->stopping = true;
	watch(port);
	adopt_call_soon(base->reactor, &port->stopped);
}

static void port_pause(struct adopt_port *base)
{
	struct stream_port *port = (struct stream_port *)base;

	port->paused = true;
	watch(port);
}

static void port_resume(struct adopt_port *base)
{
	struct stream_port *port = (struct stream_port *)base;

	port->paused = false;
	watch(port);
}

static int port_local(struct adopt_port *base, struct adopt_address *ret)
{
	return socket_local(((struct stream_port *)base)->fd, ret);
}

static const struct adopt_port_ops ops = {
	.stop = port_stop,
	.pause = port_pause,
	.resume = port_resume,
	.local = port_local,
};

static int port_new(struct event_reactor *reactor, int fd, const struct adopt_socket_kind *kind,
		    struct adopt_factory *factory, struct stream_port **ret)
{
	struct stream_port *port = calloc(1, sizeof *port);
	int error;

	if (!port)
		return -ENOMEM;
	*port = (struct stream_port){
		.base = {.ops = &ops, .reactor = &reactor->base},
		.stopped = {.run = port_stopped},
		.factory = factory,
		.type = kind->type,
		.family = kind->family,
		.batch = BATCH_START,
	};
	error = adopt_timer_new(&reactor->base, rested, port, &port->rest);
	if (error < 0)
		goto out;
	error = port->fd = event_reactor_keep(reactor, socket_duplicate(fd));
	if (error < 0)
		goto out;
	event_assign(&port->acceptable, reactor->events, port->fd, EV_READ | EV_PERSIST,
		     accept_batch, port);
	*ret = port;
	return 0;
out:
	adopt_timer_free(&port->rest);
	free(port);
	return error;
}

int event_stream_port(struct adopt_reactor *base, int fd, int family, struct adopt_factory *factory,
		      struct adopt_port **ret)
{
	struct event_reactor *reactor = event_reactor(base);
	struct adopt_socket_kind kind;
	struct stream_port *port;
	int error = socket_judge(fd, family, false, &kind);

	if (error < 0)
		return error;
	if (!kind.listening)
		return -EINVAL;
	if (reactor->ending)
		return -ECANCELED;
	error = port_new(reactor, fd, &kind, factory, &port);
	if (error < 0)
		return error;
	error = adopt_factory_port_starts(factory);
	if (error < 0) {
		adopt_timer_free(&port->rest);
		socket_close(port->fd);
		free(port);
		return error;
	}
	LIST_INSERT_HEAD(&reactor->stream_ports, port, link);
	adopt_count_port(base);
	watch(port);
	if (ret)
		*ret = &port->base;
	return 0;
}
