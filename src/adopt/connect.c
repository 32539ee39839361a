/* Outbound stream connections. */
#include "event_reactor.h"
#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

struct connector {
	struct adopt_connector base;
	LIST_ENTRY(connector) link;
	struct event_reactor *reactor;
	struct event connected; /* runs at once where connect() has said it all */
	struct adopt_factory *factory;
	struct adopt_address address;
	int fd;
	int type;
	int error; /* what connect() said at once */
};

static void dismantle(struct connector *connector)
{
	event_del(&connector->connected);
	LIST_REMOVE(connector, link);
}

static void fail(struct connector *connector, int error)
{
	struct adopt_factory *factory = connector->factory;

	dismantle(connector);
	socket_close(connector->fd);
	free(connector);
	factory->ops->connect_failed(factory, error);
}

/* On the loopback a connect to a port of the ephemeral range that nobody listens
 * on may meet itself, by choosing that very port as its own. */
static bool met_itself(const struct connector *connector)
{
	struct adopt_address own;

	return adopt_address_port(&connector->address) >= 32768 &&
	       adopt_address_family(&connector->address) != AF_UNIX &&
	       socket_local(connector->fd, &own) == 0 &&
	       adopt_address_equal(&own, &connector->address);
}

static void succeed(struct connector *connector)
{
	struct adopt_factory *factory = connector->factory;
	int error;

	dismantle(connector);
	error = stream_begin(connector->reactor, connector->fd, connector->type,
			     &connector->address, false, factory);
	free(connector);
	if (error < 0)
		factory->ops->connect_failed(factory, error);
}

static void decide(struct connector *connector, int error)
{
	if (error == 0 && met_itself(connector))
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
	struct connector *connector = (struct connector *)base;

	dismantle(connector);
	socket_close(connector->fd);
	free(connector);
}

static int watch(struct connector *connector, uint64_t timeout_ms)
{
	struct timeval timeout = event_time(timeout_ms);

	if (event_add(&connector->connected, timeout_ms ? &timeout : NULL) < 0)
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
	int fd, error;

	if (reactor->ending)
		return -ECANCELED;
	error = adopt_socket_create(adopt_address_family(address), type, &fd);
	if (error < 0)
		return error;
	connector = calloc(1, sizeof *connector);
	if (!connector) {
		socket_close(fd);
		return -ENOMEM;
	}
	*connector = (struct connector){
		.base = {.cancel = cancel},
		.reactor = reactor,
		.factory = factory,
		.address = *address,
		.fd = fd,
		.type = type,
	};
	event_assign(&connector->connected, reactor->events, fd, EV_WRITE, on_connected, connector);
	LIST_INSERT_HEAD(&reactor->connectors, connector, link);
	error = begin(fd, address);
	if (error == -EINPROGRESS)
		error = watch(connector, timeout_ms);
	if (error != -EINPROGRESS) {
		connector->error = error;
		event_active(&connector->connected, 0, 0);
	}
	if (ret)
		*ret = &connector->base;
	return 0;
}
