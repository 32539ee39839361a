#include "memory_case.h"

#include <errno.h>
#include <string.h>

struct recorder_factory *factory;
struct datagram_recorder datagrams;

static void set_up(void)
{
	free_loop();
	ck_assert_int_eq(adopt_memory_reactor_new(&loop), 0);
	factory = recorder_factory_new();
	datagram_recorder_init(&datagrams);
}

static void tear_down(void)
{
	free_loop();
	recorder_factory_free(factory);
}

TCase *memory_case(const char *name)
{
	TCase *tests = harness_case(name);

	tcase_add_checked_fixture(tests, set_up, tear_down);
	return tests;
}

struct adopt_address address_of(const char *text)
{
	struct adopt_address address;

	ck_assert_int_eq(adopt_address_parse(text, &address), 0);
	return address;
}

struct adopt_port *new_stream_port(int family)
{
	struct adopt_port *port = NULL;

	ck_assert_int_eq(adopt_stream_port(loop, FD, family, &factory->factory, &port), 0);
	return port;
}

struct adopt_port *new_datagram_port(size_t max_packet_size)
{
	struct adopt_port *port = NULL;

	ck_assert_int_eq(
		adopt_datagram_port(loop, FD, AF_INET, &datagrams.protocol, max_packet_size, &port),
		0);
	return port;
}

const struct adopt_memory_port *port_record(size_t index)
{
	const struct adopt_memory_port *ports;

	ck_assert_uint_lt(index, adopt_memory_ports(loop, &ports));
	return &ports[index];
}

const struct adopt_memory_connect *connect_record(size_t index)
{
	const struct adopt_memory_connect *connects;

	ck_assert_uint_lt(index, adopt_memory_connects(loop, &connects));
	return &connects[index];
}

struct adopt_connector *connector_to(const struct adopt_address *address, uint64_t timeout_ms)
{
	struct adopt_connector *connector = NULL;

	ck_assert_int_eq(adopt_connect_stream(loop, address, SOCK_STREAM, timeout_ms,
					      &factory->factory, &connector),
			 0);
	return connector;
}

struct recorder *connected(void)
{
	ck_assert_int_eq(adopt_memory_transport_new(loop, &factory->factory, NULL, NULL, NULL), 0);
	return factory->built[factory->count - 1];
}

void assert_written(struct recorder *recorder, const char *text)
{
	const void *data;
	size_t length = adopt_memory_written(transport_of(recorder), &data);

	ck_assert_uint_eq(length, strlen(text));
	ck_assert_uint_eq(adopt_transport_queued(transport_of(recorder)), length);
	if (length > 0)
		ck_assert_mem_eq(data, text, length);
}

void assert_ends(struct recorder *recorder, int error)
{
	ck_assert_uint_eq(recorder->lost, 0);
	ck_assert_int_eq(adopt_memory_deliver(transport_of(recorder), "x", 1), -EPIPE);
	ck_assert_int_eq(adopt_memory_deliver_eof(transport_of(recorder)), -EPIPE);
	ck_assert_int_eq(adopt_transport_write(transport_of(recorder), "x", 1), -EPIPE);
	assert_written(recorder, "");
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_uint_eq(recorder->lost, 1);
	ck_assert_int_eq(recorder->error, error);
	ck_assert_ptr_null(recorder->protocol.transport);
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 0);
}

void assert_lives(struct recorder *recorder)
{
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_uint_eq(recorder->lost, 0);
}

int deliver(struct recorder *recorder, const char *text)
{
	return adopt_memory_deliver(transport_of(recorder), text, strlen(text));
}
