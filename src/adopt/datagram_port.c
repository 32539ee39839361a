/* A datagram socket: receiving in bounded turns, sending at once. */
#include "datagram_batch.h"
#include "datagram_send.h"
#include "event_port.h"
#include "packet_info.h"
#include "socket.h"

#include <errno.h>
#include <stdlib.h>

/* One wake-up receives at most so much, and then yields. */
#define TURN_BYTES (256 * 1024)
#define TURN_DATAGRAMS 256

struct datagram_port {
	struct event_port base;
	struct adopt_call refused;
	struct adopt_datagram_protocol *protocol;
	struct datagram_batch *large; /* where one is too large for the reactor's */
	struct datagram_source source;
	struct segments segments;
	int family;
	bool connected;
};

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
		event_port_rest(&port->base);
		if (protocol->ops->failed)
			protocol->ops->failed(protocol, error);
		return false;
	}
}

static struct datagram_batch *batch_of(const struct datagram_port *port)
{
	return port->large ? port->large : event_reactor(port->base.base.reactor)->datagrams;
}

/* Nothing is received that could not be told: who wants one at a time may stop after each. */
static unsigned at_a_time(const struct datagram_port *port)
{
	if (!port->protocol->ops->datagrams_received)
		return 1;
	return datagram_batch_room(batch_of(port), port->source.max_packet_size);
}

/* Returns the bytes of all. */
static size_t tell(struct datagram_port *port, const struct adopt_datagram *datagrams, size_t count)
{
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += datagrams[i].length;
	adopt_datagrams_tell(port->protocol, datagrams, count);
	return bytes;
}

static void receive_turn(evutil_socket_t fd, short what, void *argument)
{
	struct datagram_port *port = argument;
	int most = (int)at_a_time(port);
	size_t bytes = 0;

	(void)fd;
	(void)what;
	for (int left = TURN_DATAGRAMS; left > 0 && bytes < TURN_BYTES; left--) {
		const struct adopt_datagram *datagrams;
		int asked = most < left ? most : left, count;

		if (port->base.paused || port->base.stopping)
			return;
		count = datagram_batch_receive(batch_of(port), &port->source, (unsigned)asked,
					       &datagrams);
		if (count < 0 && !goes_on(port, count))
			return;
		if (count < 0)
			continue;
		bytes += tell(port, datagrams, (size_t)count);
		left -= count - 1;
		if (count < asked)
			return;
	}
}

static void port_free(struct datagram_port *port)
{
	datagram_batch_free(&port->large);
	free(port);
}

static void ended(struct event_port *base)
{
	struct datagram_port *port = (struct datagram_port *)base;
	struct adopt_datagram_protocol *protocol = port->protocol;

	adopt_call_cancel(base->base.reactor, &port->refused);
	port_free(port);
	protocol->port = NULL;
	if (protocol->ops->stop)
		protocol->ops->stop(protocol);
}

static void port_refused(struct adopt_call *call)
{
	struct datagram_port *port =
		(struct datagram_port *)((char *)call - offsetof(struct datagram_port, refused));

	if (!port->base.stopping)
		tell_refused(port);
}

/* struct msghdr is for both directions and so has no const; sending changes nothing. */
static void *unconst(const void *data)
{
	return (void *)(uintptr_t)data;
}

static int port_send(struct adopt_port *base, const struct adopt_address *from,
		     const struct adopt_address *to, const struct adopt_datagram *datagrams,
		     size_t count)
{
	struct datagram_port *port = (struct datagram_port *)base;
	struct msghdr message = {
		.msg_name = to ? unconst(&to->name) : NULL,
		.msg_namelen = to ? to->length : 0,
	};
	union packet_info info;
	int sent;

	if (port->base.stopping)
		return -EPIPE;
	if (to && adopt_address_family(to) != port->family)
		return -EAFNOSUPPORT;
	if (!to && !port->connected)
		return -EDESTADDRREQ;
	if (from && port->source.tells_local)
		packet_info_write(&message, from, &info);
	sent = datagram_send(port->source.fd, &port->segments, &message, datagrams, count);
	if (sent != -ECONNREFUSED)
		return sent;
	/* An earlier datagram was refused. Being told of it has kept this one from
	   going out. On a connected UNIX socket nobody is there now either. */
	if (port->connected)
		adopt_call_soon(base->reactor, &port->refused);
	return datagram_send(port->source.fd, &port->segments, &message, datagrams, count);
}

static const struct event_port_kind kind = {
	.ops =
		{
			.stop = event_port_stop,
			.pause = event_port_pause,
			.resume = event_port_resume,
			.local = event_port_local,
			.send = port_send,
		},
	.readable = receive_turn,
	.ended = ended,
};

/* Room for what comes: the reactor's, which its first such port makes, or the port's own. */
static int make_room(struct event_reactor *reactor, struct datagram_port *port)
{
	if (port->source.max_packet_size > DATAGRAM_BATCH_BYTES)
		return datagram_batch_new(port->source.max_packet_size, &port->large);
	return reactor->datagrams ? 0
				  : datagram_batch_new(DATAGRAM_BATCH_BYTES, &reactor->datagrams);
}

/* What is read from, and what it tells of each datagram. */
static void find_source(struct datagram_port *port)
{
	struct datagram_source *source = &port->source;

	source->fd = port->base.fd;
	if (socket_local(source->fd, &source->own) < 0)
		source->own.length = 0;
	source->tells_local = packet_info_enable(source->fd, &source->own);
}

int event_datagram_port(struct adopt_reactor *base, int fd, int family,
			struct adopt_datagram_protocol *protocol, size_t max_packet_size,
			struct adopt_port **ret)
{
	struct event_reactor *reactor = event_reactor(base);
	struct adopt_socket_kind found;
	struct datagram_port *port;
	int error = socket_judge(fd, family, true, &found);

	if (error < 0)
		return error;
	port = calloc(1, sizeof *port);
	if (!port)
		return -ENOMEM;
	port->refused.run = port_refused;
	port->protocol = protocol;
	port->source.max_packet_size = max_packet_size;
	port->family = found.family;
	port->connected = found.connected;
	error = event_port_open(&port->base, reactor, fd, &kind);
	if (error == 0) {
		error = make_room(reactor, port);
		if (error < 0)
			event_port_close(&port->base);
	}
	if (error < 0) {
		port_free(port);
		return error;
	}
	find_source(port);
	event_port_start(&port->base);
	protocol->port = &port->base.base;
	if (ret)
		*ret = &port->base.base;
	if (protocol->ops->start)
		protocol->ops->start(protocol);
	return 0;
}
