/* A datagram socket: receiving in bounded turns, sending at once. */
#include "datagram_batch.h"
#include "datagram_send.h"
#include "event_reactor.h"
#include "packet_info.h"
#include "socket.h"

#include <errno.h>
#include <stdlib.h>

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
	struct datagram_batch *large; /* where one is too large for the reactor's */
	struct datagram_source source;
	struct segments segments;
	int family;
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

static struct datagram_batch *batch_of(const struct datagram_port *port)
{
	return port->large ? port->large : event_reactor(port->base.reactor)->datagrams;
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

		if (port->paused || port->stopping)
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
	adopt_timer_free(&port->rest);
	socket_close(port->source.fd);
	datagram_batch_free(&port->large);
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
	return socket_local(((struct datagram_port *)base)->source.fd, ret);
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

	if (port->stopping)
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

static const struct adopt_port_ops ops = {
	.stop = port_stop,
	.pause = port_pause,
	.resume = port_resume,
	.local = port_local,
	.send = port_send,
};

/* Room for what comes: the reactor's, which its first such port makes, or the port's own. */
static int make_room(struct event_reactor *reactor, struct datagram_port *port)
{
	if (port->source.max_packet_size > DATAGRAM_BATCH_BYTES)
		return datagram_batch_new(port->source.max_packet_size, &port->large);
	return reactor->datagrams ? 0
				  : datagram_batch_new(DATAGRAM_BATCH_BYTES, &reactor->datagrams);
}

static int port_new(struct event_reactor *reactor, int fd, const struct adopt_socket_kind *kind,
		    struct adopt_datagram_protocol *protocol, size_t max_packet_size,
		    struct datagram_port **ret)
{
	struct datagram_port *port = calloc(1, sizeof *port);
	struct datagram_source *source;
	int error;

	if (!port)
		return -ENOMEM;
	*port = (struct datagram_port){
		.base = {.ops = &ops, .reactor = &reactor->base},
		.stopped = {.run = port_stopped},
		.refused = {.run = port_refused},
		.protocol = protocol,
		.source = {.fd = -1, .max_packet_size = max_packet_size},
		.family = kind->family,
		.connected = kind->connected,
	};
	source = &port->source;
	error = adopt_timer_new(&reactor->base, rested, port, &port->rest);
	if (error == 0)
		error = make_room(reactor, port);
	if (error < 0)
		goto out;
	error = source->fd = event_reactor_keep(reactor, socket_duplicate(fd));
	if (error < 0)
		goto out;
	if (socket_local(source->fd, &source->own) < 0)
		source->own.length = 0;
	source->tells_local = packet_info_enable(source->fd, &source->own);
	event_assign(&port->readable, reactor->events, source->fd, EV_READ | EV_PERSIST,
		     receive_turn, port);
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
