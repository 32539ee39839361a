/* A listening socket: accepting, and what to do when that fails. */
#include "event_port.h"
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
	struct event_port base;
	struct adopt_factory *factory;
	int type;
	unsigned batch;
	bool troubled; /* the observer has been told, and not yet of the end */
};

static struct event_reactor *reactor_of(struct stream_port *port)
{
	return event_reactor(port->base.base.reactor);
}

static void tell_trouble(struct stream_port *port, int error)
{
	struct adopt_observer *observer = port->base.base.reactor->observer;

	if (port->troubled == (error != 0))
		return;
	port->troubled = error != 0;
	if (observer && observer->ops->accept_trouble)
		observer->ops->accept_trouble(observer, &port->base.base, error);
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
			int client = socket_accept(port->base.fd, &peer);

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
		event_port_rest(&port->base);
		return false;
	default:
		tell_trouble(port, error);
		event_port_rest(&port->base);
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
	while (left > 0 && !port->base.paused && !port->base.stopping) {
		struct adopt_address peer;
		int client =
			event_reactor_keep(reactor_of(port), socket_accept(port->base.fd, &peer));

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

static void ended(struct event_port *base)
{
	struct adopt_factory *factory = ((struct stream_port *)base)->factory;

	free(base);
	adopt_factory_port_stopped(factory);
}

static const struct event_port_kind kind = {
	.ops =
		{
			.stop = event_port_stop,
			.pause = event_port_pause,
			.resume = event_port_resume,
			.local = event_port_local,
		},
	.readable = accept_batch,
	.ended = ended,
};

int event_stream_port(struct adopt_reactor *reactor, int fd, int family,
		      struct adopt_factory *factory, struct adopt_port **ret)
{
	struct adopt_socket_kind found;
	struct stream_port *port;
	int error = socket_judge(fd, family, false, &found);

	if (error < 0)
		return error;
	if (!found.listening)
		return -EINVAL;
	port = calloc(1, sizeof *port);
	if (!port)
		return -ENOMEM;
	port->factory = factory;
	port->type = found.type;
	port->batch = BATCH_START;
	error = event_port_open(&port->base, event_reactor(reactor), fd, &kind);
	if (error < 0) {
		free(port);
		return error;
	}
	error = adopt_factory_port_starts(factory);
	if (error < 0) {
		event_port_close(&port->base);
		free(port);
		return error;
	}
	event_port_start(&port->base);
	if (ret)
		*ret = &port->base.base;
	return 0;
}
