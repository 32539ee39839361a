/* A listening or datagram socket that is only looked at: others take what comes. */
#include "event_port.h"

#include <errno.h>
#include <stdlib.h>

struct watched_port {
	struct event_port base;
	struct adopt_lookout *lookout;
};

static void somebody_waits(evutil_socket_t fd, short what, void *argument)
{
	struct watched_port *port = argument;

	(void)fd;
	(void)what;
	port->lookout->ops->waiting(port->lookout);
}

static void ended(struct event_port *base)
{
	struct adopt_lookout *lookout = ((struct watched_port *)base)->lookout;

	free(base);
	lookout->port = NULL;
	if (lookout->ops->stop)
		lookout->ops->stop(lookout);
}

static int port_descriptor(const struct adopt_port *base)
{
	return ((const struct event_port *)base)->fd;
}

static const struct event_port_kind kind = {
	.ops =
		{
			.stop = event_port_stop,
			.pause = event_port_pause,
			.resume = event_port_resume,
			.local = event_port_local,
			.descriptor = port_descriptor,
		},
	.readable = somebody_waits,
	.ended = ended,
};

/* Whether it blocks does not matter: nothing is read here. */
static int judge(int fd, int family)
{
	struct adopt_socket_kind found;
	int error = adopt_socket_inspect(fd, &found);

	if (error < 0)
		return error;
	if (found.type != SOCK_DGRAM && found.type != SOCK_STREAM && found.type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	if ((family != AF_UNSPEC && family != found.family) ||
	    !adopt_family_supported(found.family))
		return -EAFNOSUPPORT;
	return found.type != SOCK_DGRAM && !found.listening ? -EINVAL : 0;
}

int event_watched_port(struct adopt_reactor *reactor, int fd, int family,
		       struct adopt_lookout *lookout, struct adopt_port **ret)
{
	struct watched_port *port;
	int error = judge(fd, family);

	if (error < 0)
		return error;
	port = calloc(1, sizeof *port);
	if (!port)
		return -ENOMEM;
	port->lookout = lookout;
	error = event_port_open(&port->base, event_reactor(reactor), fd, &kind);
	if (error < 0) {
		free(port);
		return error;
	}
	event_port_start(&port->base);
	lookout->port = &port->base.base;
	if (ret)
		*ret = &port->base.base;
	return 0;
}
