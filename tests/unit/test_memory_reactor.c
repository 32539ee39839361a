/* The test reactors: what they record, what they raise, how they end (contract rows 28
 * and 29). */
#include "memory_case.h"

#include <errno.h>

/* --- what is recorded --- */

START_TEST(row_28_ports_are_recorded_in_one_list)
{
	struct adopt_port *stream = new_stream_port(AF_INET6), *datagram;
	const struct adopt_memory_port *ports;

	ck_assert_int_eq(
		adopt_datagram_port(loop, OTHER_FD, AF_UNIX, &datagrams.protocol, 512, &datagram),
		0);
	ck_assert_int_eq(adopt_stream_port(loop, FD, AF_UNSPEC, &factory->factory, NULL), 0);
	ck_assert_uint_eq(adopt_memory_ports(loop, &ports), 3);
	ck_assert_int_eq(ports[0].fd, FD);
	ck_assert_int_eq(ports[0].family, AF_INET6);
	ck_assert_ptr_eq(ports[0].factory, &factory->factory);
	ck_assert_ptr_null(ports[0].protocol);
	ck_assert_uint_eq(ports[0].max_packet_size, 0);
	ck_assert_ptr_eq(ports[0].port, stream);
	ck_assert_int_eq(ports[1].fd, OTHER_FD);
	ck_assert_int_eq(ports[1].family, AF_UNIX);
	ck_assert_ptr_null(ports[1].factory);
	ck_assert_ptr_eq(ports[1].protocol, &datagrams.protocol);
	ck_assert_uint_eq(ports[1].max_packet_size, 512);
	ck_assert_ptr_eq(ports[1].port, datagram);
	ck_assert_int_eq(ports[2].family, AF_UNSPEC);
	ck_assert_uint_eq(adopt_reactor_port_count(loop), 3);
}
END_TEST

START_TEST(row_28_connections_are_recorded)
{
	const struct adopt_memory_connection *connections;

	ck_assert_uint_eq(adopt_memory_connections(loop, &connections), 0);
	ck_assert_int_eq(adopt_stream_connection(loop, FD, AF_UNIX, &factory->factory), 0);
	ck_assert_int_eq(adopt_stream_connection(loop, OTHER_FD, AF_INET, &factory->factory), 0);
	ck_assert_uint_eq(adopt_memory_connections(loop, &connections), 2);
	ck_assert_int_eq(connections[0].fd, FD);
	ck_assert_int_eq(connections[0].family, AF_UNIX);
	ck_assert_ptr_eq(connections[0].factory, &factory->factory);
	ck_assert_int_eq(connections[1].fd, OTHER_FD);
	ck_assert_uint_eq(factory->asked, 0);
}
END_TEST

START_TEST(row_28_connects_are_recorded)
{
	struct adopt_address first = address_of("192.0.2.9:80"), second = address_of("unix:/up");
	struct adopt_connector *connector = NULL;

	ck_assert_int_eq(
		adopt_connect_stream(loop, &first, SOCK_STREAM, 250, &factory->factory, &connector),
		0);
	ck_assert_ptr_nonnull(connector);
	ck_assert_int_eq(
		adopt_connect_stream(loop, &second, SOCK_SEQPACKET, 0, &factory->factory, NULL), 0);
	assert_same_address(&connect_record(0)->address, &first);
	ck_assert_int_eq(connect_record(0)->type, SOCK_STREAM);
	ck_assert_uint_eq(connect_record(0)->timeout_ms, 250);
	ck_assert_ptr_eq(connect_record(0)->factory, &factory->factory);
	ck_assert(!connect_record(0)->done);
	assert_same_address(&connect_record(1)->address, &second);
	ck_assert_int_eq(connect_record(1)->type, SOCK_SEQPACKET);
	ck_assert_uint_eq(factory->asked + factory->connect_failed, 0);
}
END_TEST

START_TEST(row_28_readers_and_writers_are_listed_once)
{
	struct adopt_watcher a = {.fd = FD}, b = {.fd = OTHER_FD};
	struct adopt_watcher *const *list;

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(adopt_reader_add(loop, &a), 0);
		ck_assert_int_eq(adopt_reader_add(loop, &b), 0);
		ck_assert_int_eq(adopt_writer_add(loop, &b), 0);
	}
	ck_assert_uint_eq(adopt_memory_readers(loop, &list), 2);
	ck_assert_ptr_eq(list[0], &a);
	ck_assert_ptr_eq(list[1], &b);
	ck_assert_uint_eq(adopt_memory_writers(loop, &list), 1);
	ck_assert_ptr_eq(list[0], &b);
	adopt_reader_remove(loop, &a);
	adopt_reader_remove(loop, &a);
	adopt_writer_remove(loop, &a);
	ck_assert_uint_eq(adopt_memory_readers(loop, &list), 1);
	ck_assert_ptr_eq(list[0], &b);
	ck_assert_uint_eq(adopt_memory_writers(loop, &list), 1);
	ck_assert_int_eq(adopt_reader_add(loop, &a), 0);
	ck_assert_uint_eq(adopt_memory_readers(loop, &list), 2);
	ck_assert_ptr_eq(list[1], &a);
}
END_TEST

static const struct {
	int family;
	const char *address;
} own_addresses[] = {
	{AF_INET, "192.0.2.1:80"},          {AF_INET6, "[2001:db8::1]:80"},
	{AF_UNIX, "unix:/run/memory.sock"}, {AF_UNSPEC, "192.0.2.1:80"},
#ifdef AF_VSOCK
	{AF_VSOCK, "vsock:2:80"},
#endif
};

START_TEST(row_28_ports_have_fixed_addresses)
{
	struct adopt_address own, expected;
	int family = own_addresses[_i].family;

	if (family != AF_UNSPEC && !adopt_family_supported(family))
		return;
	expected = address_of(own_addresses[_i].address);
	ck_assert_int_eq(adopt_port_local(new_stream_port(family), &own), 0);
	assert_same_address(&own, &expected);
}
END_TEST

START_TEST(row_01_unknown_family)
{
	const struct adopt_memory_port *ports;
	const struct adopt_memory_connection *connections;
	struct adopt_address unknown = {0};
	struct adopt_address good = address_of("192.0.2.9:80");

	ck_assert_int_eq(adopt_stream_port(loop, FD, 200, &factory->factory, NULL), -EAFNOSUPPORT);
	ck_assert_int_eq(adopt_stream_connection(loop, FD, 200, &factory->factory), -EAFNOSUPPORT);
	ck_assert_int_eq(adopt_datagram_port(loop, FD, 200, &datagrams.protocol, 0, NULL),
			 -EAFNOSUPPORT);
	ck_assert_int_eq(
		adopt_connect_stream(loop, &unknown, SOCK_STREAM, 0, &factory->factory, NULL),
		-EAFNOSUPPORT);
	ck_assert_int_eq(adopt_connect_stream(loop, &good, SOCK_DGRAM, 0, &factory->factory, NULL),
			 -ESOCKTNOSUPPORT);
	ck_assert_uint_eq(adopt_memory_ports(loop, &ports), 0);
	ck_assert_uint_eq(adopt_memory_connections(loop, &connections), 0);
}
END_TEST

START_TEST(row_29_raises_what_it_was_made_with)
{
	struct adopt_address address = address_of("192.0.2.9:80");
	struct adopt_port *port = NULL;
	struct adopt_connector *connector = NULL;
	const struct adopt_memory_port *ports;
	const struct adopt_memory_connection *connections;
	const struct adopt_memory_connect *connects;
	struct adopt_watcher watcher = {.fd = FD};
	struct adopt_watcher *const *list;

	adopt_reactor_free(&loop);
	ck_assert_int_eq(adopt_raising_memory_reactor_new(-EADDRINUSE, -ENETUNREACH, &loop), 0);
	ck_assert_int_eq(adopt_stream_port(loop, FD, AF_INET, &factory->factory, &port),
			 -EADDRINUSE);
	ck_assert_int_eq(adopt_stream_connection(loop, FD, AF_INET, &factory->factory),
			 -ENETUNREACH);
	ck_assert_int_eq(adopt_datagram_port(loop, FD, AF_INET, &datagrams.protocol, 0, &port),
			 -ENETUNREACH);
	ck_assert_int_eq(
		adopt_connect_stream(loop, &address, SOCK_STREAM, 0, &factory->factory, &connector),
		-ENETUNREACH);
	ck_assert_ptr_null(port);
	ck_assert_ptr_null(connector);
	ck_assert_uint_eq(factory->starts + datagrams.starts, 0);
	ck_assert_uint_eq(adopt_reactor_port_count(loop), 0);
	ck_assert_uint_eq(adopt_memory_ports(loop, &ports), 0);
	ck_assert_uint_eq(adopt_memory_connections(loop, &connections), 0);
	ck_assert_uint_eq(adopt_memory_connects(loop, &connects), 0);
	/* The family is judged first here too (row 1), and all else works. */
	ck_assert_int_eq(adopt_stream_port(loop, FD, 200, &factory->factory, &port), -EAFNOSUPPORT);
	ck_assert_int_eq(adopt_reader_add(loop, &watcher), 0);
	ck_assert_uint_eq(adopt_memory_readers(loop, &list), 1);
}
END_TEST

/* --- the end --- */

static void connect_again(struct recorder *lost)
{
	struct adopt_address address = address_of("192.0.2.9:80");

	ck_assert_int_eq(lost->error, -ECANCELED);
	ck_assert_int_eq(
		adopt_connect_stream(loop, &address, SOCK_STREAM, 0, &factory->factory, NULL),
		-ECANCELED);
	ck_assert_int_eq(adopt_stream_port(loop, FD, AF_INET, &factory->factory, NULL), -ECANCELED);
	ck_assert_int_eq(adopt_stream_connection(loop, FD, AF_INET, &factory->factory), -ECANCELED);
	ck_assert_int_eq(adopt_datagram_port(loop, FD, AF_INET, &datagrams.protocol, 0, NULL),
			 -ECANCELED);
	ck_assert_int_eq(adopt_memory_transport_new(loop, &factory->factory, NULL, NULL, NULL),
			 -ECANCELED);
}

static void must_not_run(struct adopt_call *call)
{
	ck_abort_msg("the call %p was to be dropped", (void *)call);
}

START_TEST(free_ends_everything)
{
	struct adopt_address address = address_of("192.0.2.9:80");
	struct adopt_reactor *reactor = loop, *none = NULL;
	struct adopt_call dropped = {.run = must_not_run};
	struct adopt_transport *closed;
	struct observed observed;
	struct adopt_port *port;

	observe(&observed);
	new_stream_port(AF_INET);
	port = new_stream_port(AF_INET6);
	new_datagram_port(0);
	connector_to(&address, 100);
	ck_assert_int_eq(adopt_memory_transport_new(loop, &factory->factory, NULL, NULL, &closed),
			 0);
	ck_assert_int_eq(adopt_memory_transport_new(loop, &factory->factory, NULL, NULL, NULL), 0);
	adopt_transport_close(closed);
	adopt_port_stop(&port);
	adopt_call_soon(loop, &dropped);
	adopt_reactor_free(&reactor);
	loop = NULL;
	ck_assert_ptr_null(reactor);
	ck_assert_uint_eq(factory->stops, 1);
	ck_assert_uint_eq(datagrams.stops, 1);
	ck_assert_int_eq(factory->connect_error, -ECANCELED);
	/* What has ended before is told as it ended. */
	ck_assert_uint_eq(factory->built[0]->lost, 1);
	ck_assert_int_eq(factory->built[0]->error, 0);
	ck_assert_uint_eq(factory->built[1]->lost, 1);
	ck_assert_int_eq(factory->built[1]->error, -ECANCELED);
	ck_assert_uint_eq(observed.begun, 2);
	ck_assert_uint_eq(observed.ended, 2);
	ck_assert_uint_eq(observed.ports_stopped, 3);
	ck_assert(!dropped.waiting);
	adopt_reactor_free(&none);
}
END_TEST

START_TEST(nothing_begins_while_it_is_freed)
{
	struct adopt_reactor *reactor = loop;

	factory->hooks.lost = connect_again;
	ck_assert_int_eq(adopt_memory_transport_new(loop, &factory->factory, NULL, NULL, NULL), 0);
	adopt_reactor_free(&reactor);
	loop = NULL;
	ck_assert_uint_eq(factory->built[0]->lost, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory reactor");
	TCase *tests = memory_case("memory reactor");

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, row_28_ports_are_recorded_in_one_list);
	tcase_add_test(tests, row_28_connections_are_recorded);
	tcase_add_test(tests, row_28_connects_are_recorded);
	tcase_add_test(tests, row_28_readers_and_writers_are_listed_once);
	tcase_add_loop_test(tests, row_28_ports_have_fixed_addresses, 0,
			    sizeof own_addresses / sizeof own_addresses[0]);
	tcase_add_test(tests, row_01_unknown_family);
	tcase_add_test(tests, row_29_raises_what_it_was_made_with);
	tcase_add_test(tests, free_ends_everything);
	tcase_add_test(tests, nothing_begins_while_it_is_freed);
	return harness_main(suite);
}
