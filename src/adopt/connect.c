/* Outbound stream connections. */
#include "socket.h"
#include "stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

struct connector {
	struct adopt_connector base;
	LIST_ENTRY(connector) link;
	struct adopt_factory *factory;
	struct stream *stream; /* not begun: until then its event tells of the connecting */
	int error;             /* what connect() said at once */
};

/* Returns the stream, which is the caller's. */
static struct stream *dismantle(struct connector *connector)
{
	struct stream *stream = connector->stream;

	event_del(&stream->readable);
	LIST_REMOVE(connector, link);
	free(connector);
	return stream;
}

static void fail(struct connector *connector, int error)
{
	struct adopt_factory *factory = connector->factory;

	stream_drop(dismantle(connector));
	factory->ops->connect_failed(factory, error);
}

/* On the loopback a connect to a port of the ephemeral range that nobody listens
 * on may meet itself, by choosing that very port as its own. */
static bool met_itself(const struct stream *stream)
{
	struct adopt_address own, address;

	address_kept(&stream->base.peer, &address);
	return adopt_address_port(&address) >= 32768 && adopt_address_family(&address) != AF_UNIX &&
	       socket_local(stream->fd, &own) == 0 && adopt_address_equal(&own, &address);
}

static void succeed(struct connector *connector)
{
	struct adopt_factory *factory = connector->factory;
	int error = stream_begin(dismantle(connector), false, factory);

	if (error < 0)
		factory->ops->connect_failed(factory, error);
}

static void decide(struct connector *connector, int error)
{
	if (error == 0 && met_itself(connector->stream))
		error = -ECONNREFUSED;
	if (error < 0)
		fail(connector, error);
	else
		succeed(connector);
}

static void on_connected(evutil_socket_t fd, short what, void *argument)
{
	struct connector *connector = argument;
	int error = 0;
	socklen_t length = sizeof error;

	if (what & EV_TIMEOUT)
		error = ETIMEDOUT;
	else if (!(what & EV_WRITE))
		error = -connector->error;
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		error = errno;
	decide(connector, -error);
}

void connector_end(struct connector *connector)
{
	fail(connector, -ECANCELED);
}

static void cancel(struct adopt_connector *base)
{
	stream_drop(dismantle((struct connector *)base));
}

static int watch(struct connector *connector, uint64_t timeout_ms)
{
	struct timeval timeout = event_time(timeout_ms);

	if (event_add(&connector->stream->readable, timeout_ms ? &timeout : NULL) < 0)
		return -ENOMEM;
	return -EINPROGRESS;
}

static bool is_loopback(const struct adopt_address *address)
{
	switch (adopt_address_family(address)) {
	case AF_INET:
		return ntohl(address->name.in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	case AF_INET6:
		return IN6_IS_ADDR_LOOPBACK(&address->name.in6.sin6_addr);
	default:
		return false;
	}
}

/* On the loopback the other end has answered by the time that the call returns: asking
 * again is cheaper than having the loop watch. */
static int begin(int fd, const struct adopt_address *address)
{
	if (connect(fd, &address->name.any, address->length) == 0)
		return 0;
	if (errno != EINPROGRESS || !is_loopback(address))
		return -errno;
	if (connect(fd, &address->name.any, address->length) == 0 || errno == EISCONN)
		return 0;
	return errno == EALREADY ? -EINPROGRESS : -errno;
}

int event_connect_stream(struct adopt_reactor *base, const struct adopt_address *address, int type,
			 uint64_t timeout_ms, struct adopt_factory *factory,
			 struct adopt_connector **ret)
{
	struct event_reactor *reactor = event_reactor(base);
	struct connector *connector;
	struct stream *stream;
	int fd, error;

	if (reactor->ending)
		return -ECANCELED;
	error = adopt_socket_create(adopt_address_family(address), type, &fd);
	if (error < 0)
		return error;
	stream = stream_new(reactor, fd, type, address);
	if (!stream)
		return -ENOMEM;
	connector = malloc(sizeof *connector);
	if (!connector) {
		stream_drop(stream);
		return -ENOMEM;
	}
	*connector = (struct connector){
		.base = {.cancel = cancel},
		.factory = factory,
		.stream = stream,
	};
	event_assign(&stream->readable, reactor->events, fd, EV_WRITE, on_connected, connector);
	LIST_INSERT_HEAD(&reactor->connectors, connector, link);
	error = begin(fd, address);
	if (error == -EINPROGRESS)
		error = watch(connector, timeout_ms);
	if (error != -EINPROGRESS) {
		connector->error = error;
		event_active(&stream->readable, 0, 0);
	}
	if (ret)
		*ret = &connector->base;
	return 0;
}
