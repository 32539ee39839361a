/* Outbound stream connections: streams that are not connected yet. */
#include "socket.h"
#include "stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

static struct stream *from_connector(struct adopt_connector *connector)
{
	return (struct stream *)((char *)connector - offsetof(struct stream, connector));
}

/* It is connected, or never will be. */
static void end_connecting(struct stream *stream)
{
	stream_unwatch(stream);
	stream_run_not(stream);
	event_timers_release(event_reactor(stream->base.reactor));
	LIST_REMOVE(stream, link);
}

static void fail(struct stream *stream, int error)
{
	struct adopt_factory *factory = stream->factory;

	end_connecting(stream);
	stream_drop(stream);
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

static void succeed(struct stream *stream)
{
	struct adopt_factory *factory = stream->factory;
	int error;

	end_connecting(stream);
	error = stream_begin(stream, false, factory);
	if (error < 0)
		factory->ops->connect_failed(factory, error);
}

void stream_connected(struct stream *stream)
{
	if (stream->error == 0 && met_itself(stream))
		stream->error = -ECONNREFUSED;
	if (stream->error < 0)
		fail(stream, stream->error);
	else
		succeed(stream);
}

static void on_connected(evutil_socket_t fd, short what, void *argument)
{
	struct stream *stream = argument;
	struct event_reactor *reactor = event_reactor(stream->base.reactor);
	int error = 0;
	socklen_t length = sizeof error;

	if (what & EV_TIMEOUT)
		error = ETIMEDOUT;
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		error = errno;
	stream->error = -error;
	event_reactor_enters(reactor);
	stream_connected(stream);
	event_reactor_leaves(reactor);
}

void stream_connect_end(struct stream *stream)
{
	fail(stream, -ECANCELED);
}

static void cancel(struct adopt_connector *connector)
{
	struct stream *stream = from_connector(connector);

	end_connecting(stream);
	stream_drop(stream);
}

static int watch(struct stream *stream, uint64_t timeout_ms)
{
	struct timeval timeout = event_time(timeout_ms);

	event_assign(&stream->readable, event_reactor(stream->base.reactor)->events, stream->fd,
		     EV_WRITE, on_connected, stream);
	if (event_add(&stream->readable, timeout_ms ? &timeout : NULL) < 0)
		return -ENOMEM;
	stream->watched = true;
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
	struct stream *stream;
	int fd, error;

	if (reactor->ending)
		return -ECANCELED;
	error = adopt_socket_create(adopt_address_family(address), type, &fd);
	if (error == 0)
		error = event_reactor_keep(reactor, fd);
	if (error < 0)
		return error;
	stream = stream_new(reactor, fd, type, address);
	if (!stream)
		return -ENOMEM;
	error = event_timers_reserve(reactor);
	if (error < 0) {
		stream_drop(stream);
		return error;
	}
	stream->connecting = true;
	stream->connector.cancel = cancel;
	stream->factory = factory;
	LIST_INSERT_HEAD(&reactor->connecting, stream, link);
	error = begin(fd, address);
	if (error == -EINPROGRESS)
		error = watch(stream, timeout_ms);
	if (error != -EINPROGRESS) {
		stream->error = error;
		stream_run_soon(stream);
	}
	if (ret)
		*ret = &stream->connector;
	return 0;
}
