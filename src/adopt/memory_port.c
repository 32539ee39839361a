#include "memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The bytes of a datagram that was sent. */
struct sent_bytes {
	SLIST_ENTRY(sent_bytes) link;
	unsigned char bytes[];
};

struct memory_port {
	struct adopt_port base;
	size_t index; /* of its record */
	bool stopped;
	struct adopt_call ending;
	struct adopt_memory_sent *sent;
	size_t sent_count;
	size_t sent_room;
	SLIST_HEAD(, sent_bytes) sent_bytes;
	LIST_ENTRY(memory_port) link;
};

static struct memory_port *of(struct adopt_port *port)
{
	return (struct memory_port *)port;
}

static struct adopt_memory_port *record_of(const struct adopt_port *base)
{
	const struct memory_port *port = (const struct memory_port *)base;

	return &memory_reactor_of(base->reactor)->port_records[port->index];
}

static void port_free(struct memory_port *port)
{
	struct sent_bytes *bytes;

	while ((bytes = SLIST_FIRST(&port->sent_bytes))) {
		SLIST_REMOVE_HEAD(&port->sent_bytes, link);
		free(bytes);
	}
	free(port->sent);
	free(port);
}

static void end(struct memory_port *port)
{
	struct adopt_reactor *reactor = port->base.reactor;
	struct adopt_memory_port *record = record_of(&port->base);
	struct adopt_factory *factory = record->factory;
	struct adopt_datagram_protocol *protocol = record->protocol;
	struct adopt_lookout *lookout = record->lookout;

	record->port = NULL;
	adopt_call_cancel(reactor, &port->ending);
	LIST_REMOVE(port, link);
	port_free(port);
	if (factory) {
		adopt_factory_port_stopped(factory);
	} else if (lookout) {
		lookout->port = NULL;
		if (lookout->ops->stop)
			lookout->ops->stop(lookout);
	} else {
		protocol->port = NULL;
		if (protocol->ops->stop)
			protocol->ops->stop(protocol);
	}
	adopt_count_port_stopped(reactor);
}

static void run_ending(struct adopt_call *call)
{
	end((struct memory_port *)((char *)call - offsetof(struct memory_port, ending)));
}

static void memory_stop(struct adopt_port *base)
{
	struct memory_port *port = of(base);

	port->stopped = true;
	adopt_call_soon(base->reactor, &port->ending);
}

static void memory_pause(struct adopt_port *port)
{
	record_of(port)->paused = true;
}

static void memory_resume(struct adopt_port *port)
{
	record_of(port)->paused = false;
}

static int memory_local(struct adopt_port *port, struct adopt_address *ret)
{
	*ret = memory_own_address(record_of(port)->family);
	return 0;
}

static int sent_make_room(struct memory_port *port)
{
	size_t room = port->sent_room ? 2 * port->sent_room : 8;
	struct adopt_memory_sent *sent;

	if (port->sent_count < port->sent_room)
		return 0;
	sent = realloc(port->sent, room * sizeof *sent);
	if (!sent)
		return -ENOMEM;
	port->sent = sent;
	port->sent_room = room;
	return 0;
}

static int sent_append(struct memory_port *port, const struct adopt_address *from,
		       const struct adopt_address *to, const struct adopt_datagram *datagram)
{
	size_t length = datagram->length;
	struct adopt_memory_sent *sent;
	struct sent_bytes *bytes;

	if (sent_make_room(port) < 0)
		return -ENOMEM;
	bytes = malloc(sizeof *bytes + length);
	if (!bytes)
		return -ENOMEM;
	if (length > 0)
		memcpy(bytes->bytes, datagram->data, length);
	SLIST_INSERT_HEAD(&port->sent_bytes, bytes, link);
	sent = &port->sent[port->sent_count++];
	*sent = (struct adopt_memory_sent){.data = bytes->bytes, .length = length};
	if (from)
		sent->from = *from;
	if (to)
		sent->to = *to;
	return 0;
}

static int memory_send(struct adopt_port *base, const struct adopt_address *from,
		       const struct adopt_address *to, const struct adopt_datagram *datagrams,
		       size_t count)
{
	struct adopt_address own = memory_own_address(record_of(base)->family);
	int sent = 0, error = 0;

	if (of(base)->stopped)
		return -EPIPE;
	if (to && adopt_address_family(to) != adopt_address_family(&own))
		return -EAFNOSUPPORT;
	for (size_t i = 0; i < count && error == 0; i++) {
		error = sent_append(of(base), from, to, &datagrams[i]);
		if (error == 0)
			sent++;
	}
	return sent > 0 ? sent : error;
}

/* Of stream ports and of watched ones. */
static const struct adopt_port_ops port_ops = {
	.stop = memory_stop,
	.pause = memory_pause,
	.resume = memory_resume,
	.local = memory_local,
};

static const struct adopt_port_ops datagram_port_ops = {
	.stop = memory_stop,
	.pause = memory_pause,
	.resume = memory_resume,
	.local = memory_local,
	.send = memory_send,
};

static int port_add(struct memory_reactor *reactor, const struct adopt_memory_port *asked,
		    struct adopt_port **ret)
{
	struct memory_port *port = calloc(1, sizeof *port);
	struct adopt_memory_port *records =
		realloc(reactor->port_records, (reactor->port_record_count + 1) * sizeof *records);

	if (records)
		reactor->port_records = records;
	if (!port || !records) {
		free(port);
		return -ENOMEM;
	}
	port->base.ops = asked->protocol ? &datagram_port_ops : &port_ops;
	port->base.reactor = &reactor->base;
	port->index = reactor->port_record_count++;
	port->ending.run = run_ending;
	LIST_INSERT_HEAD(&reactor->ports, port, link);
	records[port->index] = *asked;
	records[port->index].port = &port->base;
	adopt_count_port(&reactor->base);
	*ret = &port->base;
	return 0;
}

int memory_stream_port(struct adopt_reactor *base, int fd, int family,
		       struct adopt_factory *factory, struct adopt_port **ret)
{
	const struct adopt_memory_port asked = {.fd = fd, .family = family, .factory = factory};
	struct memory_reactor *reactor = memory_reactor_of(base);
	struct adopt_port *port;
	int error;

	if (reactor->freeing)
		return -ECANCELED;
	if (reactor->listen_error < 0)
		return reactor->listen_error;
	error = adopt_factory_port_starts(factory);
	if (error < 0)
		return error;
	error = port_add(reactor, &asked, &port);
	if (error < 0) {
		adopt_factory_port_stopped(factory);
		return error;
	}
	if (ret)
		*ret = port;
	return 0;
}

int memory_datagram_port(struct adopt_reactor *base, int fd, int family,
			 struct adopt_datagram_protocol *protocol, size_t max_packet_size,
			 struct adopt_port **ret)
{
	const struct adopt_memory_port asked = {.fd = fd,
						.family = family,
						.protocol = protocol,
						.max_packet_size = max_packet_size};
	struct memory_reactor *reactor = memory_reactor_of(base);
	struct adopt_port *port;
	int error;

	if (reactor->freeing)
		return -ECANCELED;
	if (reactor->connect_error < 0)
		return reactor->connect_error;
	error = port_add(reactor, &asked, &port);
	if (error < 0)
		return error;
	protocol->port = port;
	if (protocol->ops->start)
		protocol->ops->start(protocol);
	if (ret)
		*ret = port;
	return 0;
}

int memory_watched_port(struct adopt_reactor *base, int fd, int family,
			struct adopt_lookout *lookout, struct adopt_port **ret)
{
	const struct adopt_memory_port asked = {.fd = fd, .family = family, .lookout = lookout};
	struct memory_reactor *reactor = memory_reactor_of(base);
	int error;

	if (reactor->freeing)
		return -ECANCELED;
	if (reactor->listen_error < 0)
		return reactor->listen_error;
	error = port_add(reactor, &asked, &lookout->port);
	if (error == 0 && ret)
		*ret = lookout->port;
	return error;
}

void memory_ports_end(struct memory_reactor *reactor)
{
	struct memory_port *port;

	while ((port = LIST_FIRST(&reactor->ports)))
		end(port);
}

int adopt_memory_datagram(struct adopt_port *base, const struct adopt_address *peer,
			  const void *data, size_t length)
{
	const struct adopt_memory_port *record = record_of(base);
	struct adopt_datagram_protocol *protocol = record->protocol;
	struct adopt_address own = memory_own_address(record->family);
	struct adopt_datagram datagram = {.length = length, .peer = peer, .local = &own};
	void *copy;

	if (of(base)->stopped)
		return -EPIPE;
	if (record->paused)
		return -EAGAIN;
	if (length > record->max_packet_size) {
		datagram.length = record->max_packet_size;
		datagram.truncated = true;
	}
	copy = memory_copy(data, datagram.length);
	if (!copy)
		return -ENOMEM;
	datagram.data = copy;
	adopt_datagrams_tell(protocol, &datagram, 1);
	free(copy);
	return 0;
}

int adopt_memory_waiting(struct adopt_port *base)
{
	struct adopt_lookout *lookout = record_of(base)->lookout;

	if (of(base)->stopped)
		return -EPIPE;
	if (record_of(base)->paused)
		return -EAGAIN;
	lookout->ops->waiting(lookout);
	return 0;
}

size_t adopt_memory_sent(struct adopt_port *port, const struct adopt_memory_sent **ret)
{
	*ret = of(port)->sent;
	return of(port)->sent_count;
}
