/* A datagram socket: receiving in bounded turns, sending at once. */
#include "event_reactor.h"
#include "packet_info.h"
#include "socket.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* One wake-up receives at most so much, and then yields. */
#define TURN_BYTES (256 * 1024)
#define TURN_DATAGRAMS 256

struct datagram_port {
	struct adopt_port base;
	LIST_ENTRY(datagram_port) link;
	struct event readable;
	struct adopt_timer *rest;
	struct adopt_call stopped;
	struct adopt_call refused;
	struct adopt_datagram_protocol *protocol;
	unsigned char *large; /* where the reactor's read buffer is too small */
	size_t max_packet_size;
	int fd;
	int family;
	struct adopt_address own; /* as bound; length 0 where the system does not say */
	bool tells_local;         /* bound to all addresses: each datagram tells its own */
	bool connected;
	bool paused;
	bool resting; /* receiving failed: not trying for a moment */
	bool stopping;
};

static void watch(struct datagram_port *port)
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
	struct datagram_port *port = context;

	port->resting = false;
	watch(port);
}

static void tell_refused(struct datagram_port *port)
{
	struct adopt_datagram_protocol *protocol = port->protocol;

	if (port->connected && protocol->ops->connection_refused)
		protocol->ops->connection_refused(protocol);
}

/* Returns whether the turn goes on after a receive that failed. */
static bool goes_on(struct datagram_port *port, int error)
{
	struct adopt_datagram_protocol *protocol = port->protocol;

	switch (error) {
	case -EAGAIN:
		return false;
	case -EINTR:
		return true;
	case -ECONNREFUSED:
		tell_refused(port);
		return true;
	default:
		port->resting = true;
		adopt_timer_start(port->rest, REST_MS);
		watch(port);
		if (protocol->ops->failed)
			protocol->ops->failed(protocol, error);
		return false;
	}
}

static ssize_t receive(struct datagram_port *port, void *buffer, struct adopt_address *ret_peer,
		       struct adopt_address *ret_local, bool *ret_truncated)
{
	struct iovec vector = {.iov_base = buffer, .iov_len = port->max_packet_size};
	union packet_info info;
	struct msghdr message = {
		.msg_name = &ret_peer->name,
		.msg_namelen = sizeof ret_peer->name,
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = port->tells_local ? &info : NULL,
		.msg_controllen = port->tells_local ? sizeof info : 0,
	};
	ssize_t length = recvmsg(port->fd, &message, 0);

	if (length < 0)
		return -errno;
	ret_peer->length = message.msg_namelen;
	*ret_local = port->own;
	if (port->tells_local)
		packet_info_read(&message, ret_local);
	*ret_truncated = (message.msg_flags & MSG_TRUNC) != 0;
	return length;
}

static void receive_turn(evutil_socket_t fd, short what, void *argument)
{
	struct datagram_port *port = argument;
	struct adopt_datagram_protocol *protocol = port->protocol;
	void *buffer = port->large ? port->large : event_reactor(port->base.reactor)->read_buffer;
	size_t received = 0;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < TURN_DATAGRAMS && received < TURN_BYTES; i++) {
		struct adopt_address peer, local;
		struct adopt_datagram datagram = {.data = buffer, .peer = &peer, .local = &local};
		ssize_t length;

		if (port->paused || port->stopping)
			return;
		length = receive(port, buffer, &peer, &local, &datagram.truncated);
		if (length >= 0) {
			received += (size_t)length;
			datagram.length = (size_t)length;
			protocol->ops->datagram_received(protocol, &datagram);
		} else if (!goes_on(port, (int)length)) {
			return;
		}
	}
}

static void port_free(struct datagram_port *port)
{
	adopt_timer_free(&port->rest);
	socket_close(port->fd);
	free(port->large);
	free(port);
}

void datagram_port_end(struct datagram_port *port)
{
	struct adopt_reactor *reactor = port->base.reactor;
	struct adopt_datagram_protocol *protocol = port->protocol;

	adopt_call_cancel(reactor, &port->stopped);
	adopt_call_cancel(reactor, &port->refused);
	event_del(&port->readable);
	LIST_REMOVE(port, link);
	port_free(port);
	protocol->port = NULL;
	if (protocol->ops->stop)
		protocol->ops->stop(protocol);
	adopt_count_port_stopped(reactor);
}

static void port_stopped(struct adopt_call *call)
{
	datagram_port_end(
		(struct datagram_port *)((char *)call - offsetof(struct datagram_port, stopped)));
}

static void port_refused(struct adopt_call *call)
{
	struct datagram_port *port =
		(struct datagram_port *)((char *)call - offsetof(struct datagram_port, refused));

	if (!port->stopping)
		tell_refused(port);
}

static void port_stop(struct adopt_port *base)
{
	struct datagram_port *port = (struct datagram_port *)base;

	port->stopping = true;
	watch(port);
	adopt_call_soon(base->reactor, &port->stopped);
}

static void port_pause(struct adopt_port *base)
{
	struct datagram_port *port = (struct datagram_port *)base;

	port->paused = true;
	watch(port);
}

static void port_resume(struct adopt_port *base)
{
	struct datagram_port *port = (struct datagram_port *)base;

	port->paused = false;
	watch(port);
}

static int port_local(struct adopt_port *base, struct adopt_address *ret)
{
	return socket_local(((struct datagram_port *)base)->fd, ret);
}

/* struct msghdr is for both directions and so has no const; sending changes nothing. */
static void *unconst(const void *data)
{
	return (void *)(uintptr_t)data;
}

static int send_once(struct datagram_port *port, const struct msghdr *message)
{
	ssize_t sent;

	do
		sent = sendmsg(port->fd, message, socket_send_flags());
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

static int port_send(struct adopt_port *base, const struct adopt_address *from,
		     const struct adopt_address *to, const void *data, size_t length)
{
	struct datagram_port *port = (struct datagram_port *)base;
	struct iovec vector = {.iov_base = unconst(data), .iov_len = length};
	struct msghdr message = {
		.msg_name = to ? unconst(&to->name) : NULL,
		.msg_namelen = to ? to->length : 0,
		.msg_iov = &vector,
		.msg_iovlen = 1,
	};
	union packet_info info;
	int error;

	if (port->stopping)
		return -EPIPE;
	if (to && adopt_address_family(to) != port->family)
		return -EAFNOSUPPORT;
	if (!to && !port->connected)
		return -EDESTADDRREQ;
	if (from && port->tells_local)
		packet_info_write(&message, from, &info);
	error = send_once(port, &message);
	if (error != -ECONNREFUSED)
		return error;
	/* An earlier datagram was refused. Being told of it has kept this one from
	   going out. On a connected UNIX socket nobody is there now either. */
	if (port->connected)
		adopt_call_soon(base->reactor, &port->refused);
	return send_once(port, &message);
}

static const struct adopt_port_ops ops = {
	.stop = port_stop,
	.pause = port_pause,
	.resume = port_resume,
	.local = port_local,
	.send = port_send,
};

static int port_new(struct event_reactor *reactor, int fd, const struct adopt_socket_kind *kind,
		    struct adopt_datagram_protocol *protocol, size_t max_packet_size,
		    struct datagram_port **ret)
{
	struct datagram_port *port = calloc(1, sizeof *port);
	int error;

	if (!port)
		return -ENOMEM;
	*port = (struct datagram_port){
		.base = {.ops = &ops, .reactor = &reactor->base},
		.stopped = {.run = port_stopped},
		.refused = {.run = port_refused},
		.protocol = protocol,
		.max_packet_size = max_packet_size,
		.fd = -1,
		.family = kind->family,
		.connected = kind->connected,
	};
	error = adopt_timer_new(&reactor->base, rested, port, &port->rest);
	if (error < 0)
		goto out;
	error = -ENOMEM;
	if (max_packet_size > READ_BUFFER_BYTES) {
		port->large = malloc(max_packet_size);
		if (!port->large)
			goto out;
	}
	error = port->fd = socket_duplicate(fd);
	if (error < 0)
		goto out;
	if (socket_local(port->fd, &port->own) < 0)
		port->own.length = 0;
	port->tells_local = packet_info_enable(port->fd, &port->own);
	event_assign(&port->readable, reactor->events, port->fd, EV_READ | EV_PERSIST, receive_turn,
		     port);
	*ret = port;
	return 0;
out:
	port_free(port);
	return error;
}

int event_datagram_port(struct adopt_reactor *base, int fd, int family,
			struct adopt_datagram_protocol *protocol, size_t max_packet_size,
			struct adopt_port **ret)
{
	struct event_reactor *reactor = event_reactor(base);
	struct adopt_socket_kind kind;
	struct datagram_port *port;
	int error = socket_judge(fd, family, true, &kind);

	if (error < 0)
		return error;
	if (reactor->ending)
		return -ECANCELED;
	error = port_new(reactor, fd, &kind, protocol, max_packet_size, &port);
	if (error < 0)
		return error;
	LIST_INSERT_HEAD(&reactor->datagram_ports, port, link);
	adopt_count_port(base);
	watch(port);
	protocol->port = &port->base;
	if (ret)
		*ret = &port->base;
	if (protocol->ops->start)
		protocol->ops->start(protocol);
	return 0;
}
