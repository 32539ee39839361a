/* Protocols and peers that write down what happens. */
#include "recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct recorder *from_protocol(struct adopt_protocol *protocol)
{
	return (struct recorder *)protocol;
}

/* Every callback but connection_lost may come inside another one, none after it. */
static struct recorder *enter(struct adopt_protocol *protocol)
{
	struct recorder *recorder = from_protocol(protocol);

	ck_assert_uint_eq(recorder->lost, 0);
	recorder->inside++;
	return recorder;
}

static void leave(struct recorder *recorder)
{
	recorder->inside--;
}

static void connection_made(struct adopt_protocol *protocol)
{
	struct recorder *recorder = enter(protocol);

	ck_assert_ptr_nonnull(protocol->transport);
	recorder->made++;
	if (recorder->factory->hooks.made)
		recorder->factory->hooks.made(recorder);
	leave(recorder);
}

static void data_received(struct adopt_protocol *protocol, const void *data, size_t length)
{
	struct recorder *recorder = enter(protocol);
	size_t kept = strlen(recorder->first);

	ck_assert_uint_eq(recorder->read_closed, 0);
	if (!pattern_holds(recorder->received, data, length))
		recorder->garbled = true;
	if (kept < sizeof recorder->first - 1 && length > 0)
		strncat(recorder->first, data,
			length < sizeof recorder->first - 1 - kept
				? length
				: sizeof recorder->first - 1 - kept);
	if (recorder->calls < RECORD_LENGTHS)
		recorder->lengths[recorder->calls] = length;
	recorder->calls++;
	recorder->received += length;
	if (recorder->factory->hooks.data)
		recorder->factory->hooks.data(recorder, data, length);
	leave(recorder);
}

static void read_closed(struct adopt_protocol *protocol)
{
	struct recorder *recorder = enter(protocol);

	recorder->read_closed++;
	if (recorder->factory->hooks.read_closed)
		recorder->factory->hooks.read_closed(recorder);
	leave(recorder);
}

static void drained(struct adopt_protocol *protocol)
{
	struct recorder *recorder = enter(protocol);

	recorder->drained++;
	if (recorder->factory->hooks.drained)
		recorder->factory->hooks.drained(recorder);
	leave(recorder);
}

static void connection_lost(struct adopt_protocol *protocol, int error)
{
	struct recorder *recorder = from_protocol(protocol);

	ck_assert_uint_eq(recorder->lost, 0);
	ck_assert_uint_eq(recorder->inside, 0);
	recorder->lost++;
	recorder->error = error;
	if (recorder->factory->hooks.lost)
		recorder->factory->hooks.lost(recorder);
}

static const struct adopt_protocol_ops recorder_ops = {
	.connection_made = connection_made,
	.data_received = data_received,
	.read_closed = read_closed,
	.drained = drained,
	.connection_lost = connection_lost,
};

const struct adopt_protocol_ops recorder_ops_required_only = {
	.data_received = data_received,
	.connection_lost = connection_lost,
};

static struct recorder_factory *from_factory(struct adopt_factory *factory)
{
	return (struct recorder_factory *)factory;
}

static int factory_start(struct adopt_factory *base)
{
	from_factory(base)->starts++;
	return from_factory(base)->start_error;
}

static void factory_stop(struct adopt_factory *base)
{
	from_factory(base)->stops++;
}

static struct adopt_protocol *build_protocol(struct adopt_factory *base,
					     const struct adopt_address *peer)
{
	struct recorder_factory *factory = from_factory(base);
	struct recorder *recorder;

	factory->asked++;
	if (factory->hooks.building)
		factory->hooks.building();
	if (factory->refuse > 0) {
		factory->refuse--;
		return NULL;
	}
	ck_assert_uint_lt(factory->count, BUILT_MAX);
	recorder = calloc(1, sizeof *recorder);
	ck_assert_ptr_nonnull(recorder);
	recorder->protocol.ops = factory->protocol_ops;
	recorder->factory = factory;
	recorder->peer = *peer;
	factory->built[factory->count++] = recorder;
	return &recorder->protocol;
}

static void connect_failed(struct adopt_factory *base, int error)
{
	from_factory(base)->connect_failed++;
	from_factory(base)->connect_error = error;
}

static const struct adopt_factory_ops factory_ops = {
	.start = factory_start,
	.stop = factory_stop,
	.build_protocol = build_protocol,
	.connect_failed = connect_failed,
};

struct recorder_factory *recorder_factory_new(void)
{
	struct recorder_factory *factory = calloc(1, sizeof *factory);

	ck_assert_ptr_nonnull(factory);
	factory->factory.ops = &factory_ops;
	factory->protocol_ops = &recorder_ops;
	return factory;
}

void recorder_factory_free(struct recorder_factory *factory)
{
	for (unsigned i = 0; i < factory->count; i++)
		free(factory->built[i]);
	free(factory);
}

struct recorder *adopt_recorded(struct recorder_factory *factory, int fd)
{
	unsigned before = factory->count;

	ck_assert_int_eq(adopt_stream_connection(loop, fd, AF_UNSPEC, &factory->factory), 0);
	ck_assert_uint_eq(factory->count, before + 1);
	return factory->built[before];
}

struct recorder *recorder_connected(struct recorder_factory *factory, const struct place *place,
				    int *ret)
{
	struct recorder *recorder;
	int pair[2];

	place_pair(place, pair);
	recorder = adopt_recorded(factory, pair[1]);
	close(pair[1]);
	*ret = pair[0];
	return recorder;
}

void queue_much(struct recorder *recorder)
{
	static unsigned char much[MUCH];

	pattern_fill(0, much, MUCH);
	ck_assert_int_eq(adopt_transport_write(transport_of(recorder), much, MUCH), 1);
}

void assert_lost(struct recorder *recorder, int error)
{
	RUN_UNTIL(recorder->lost == 1);
	settle();
	ck_assert_int_eq(recorder->error, error);
	ck_assert_ptr_null(recorder->protocol.transport);
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 0);
}

struct adopt_transport *transport_of(struct recorder *recorder)
{
	ck_assert_ptr_nonnull(recorder->protocol.transport);
	return recorder->protocol.transport;
}

void write_text(struct recorder *recorder, const char *text)
{
	ck_assert_int_eq(adopt_transport_write(transport_of(recorder), text, strlen(text)), 0);
}

static struct datagram_recorder *from_datagram(struct adopt_datagram_protocol *protocol)
{
	struct datagram_recorder *recorder = (struct datagram_recorder *)protocol;

	ck_assert_uint_eq(recorder->stops, 0);
	return recorder;
}

static void datagram_start(struct adopt_datagram_protocol *protocol)
{
	ck_assert_ptr_nonnull(protocol->port);
	from_datagram(protocol)->starts++;
}

static void datagram_received(struct adopt_datagram_protocol *protocol,
			      const struct adopt_datagram *datagram)
{
	struct datagram_recorder *recorder = from_datagram(protocol);
	size_t kept = sizeof recorder->first - 1;

	ck_assert_uint_eq(recorder->starts, 1);
	recorder->received++;
	recorder->length = datagram->length;
	recorder->truncated = datagram->truncated;
	recorder->garbled = !pattern_holds(0, datagram->data, datagram->length);
	recorder->peer = *datagram->peer;
	recorder->local = *datagram->local;
	if (datagram->length < kept)
		kept = datagram->length;
	memcpy(recorder->first, datagram->data, kept);
	recorder->first[kept] = '\0';
	if (recorder->received_hook)
		recorder->received_hook(recorder);
}

static void connection_refused(struct adopt_datagram_protocol *protocol)
{
	from_datagram(protocol)->refused++;
}

static void datagram_failed(struct adopt_datagram_protocol *protocol, int error)
{
	struct datagram_recorder *recorder = from_datagram(protocol);

	recorder->failed++;
	recorder->error = error;
}

static void datagram_stop(struct adopt_datagram_protocol *protocol)
{
	from_datagram(protocol)->stops++;
}

static const struct adopt_datagram_protocol_ops datagram_ops = {
	.start = datagram_start,
	.datagram_received = datagram_received,
	.connection_refused = connection_refused,
	.failed = datagram_failed,
	.stop = datagram_stop,
};

void datagram_recorder_init(struct datagram_recorder *recorder)
{
	*recorder = (struct datagram_recorder){.protocol.ops = &datagram_ops};
}

static struct observed *from_observer(struct adopt_observer *observer)
{
	return (struct observed *)observer;
}

static void accept_trouble(struct adopt_observer *observer, struct adopt_port *port, int error)
{
	struct observed *observed = from_observer(observer);

	ck_assert_ptr_nonnull(port);
	if (error == 0) {
		observed->recoveries++;
		return;
	}
	observed->troubles++;
	observed->trouble = error;
}

static void connection_begins(struct adopt_observer *observer, struct adopt_transport *transport)
{
	ck_assert_ptr_nonnull(transport);
	from_observer(observer)->begun++;
}

static void connection_ended(struct adopt_observer *observer, int error)
{
	from_observer(observer)->ended++;
	from_observer(observer)->ended_error = error;
}

static void port_stopped(struct adopt_observer *observer)
{
	from_observer(observer)->ports_stopped++;
}

static const struct adopt_observer_ops observer_ops = {
	.accept_trouble = accept_trouble,
	.connection_begins = connection_begins,
	.connection_ended = connection_ended,
	.port_stopped = port_stopped,
};

void observe(struct observed *observed)
{
	*observed = (struct observed){.observer.ops = &observer_ops};
	adopt_reactor_observe(loop, &observed->observer);
}
