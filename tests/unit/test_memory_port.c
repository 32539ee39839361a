/* Ports of the memory reactor (contract row 28): start, stop, pause, datagrams. */
#include "memory_case.h"

#include <errno.h>
#include <string.h>

START_TEST(row_10_factory_starts_and_stops_once)
{
	struct adopt_port *first = new_stream_port(AF_INET), *second = new_stream_port(AF_INET6);
	static struct observed observed;

	observe(&observed);
	ck_assert_uint_eq(factory->starts, 1);
	adopt_port_stop(&first);
	ck_assert_ptr_null(first);
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_uint_eq(factory->stops, 0);
	ck_assert_ptr_null(port_record(0)->port);
	ck_assert_ptr_eq(port_record(1)->port, second);
	adopt_port_stop(&second);
	ck_assert_uint_eq(factory->stops, 0);
	ck_assert_uint_eq(adopt_reactor_port_count(loop), 1);
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_uint_eq(factory->stops, 1);
	ck_assert_uint_eq(adopt_reactor_port_count(loop), 0);
	ck_assert_uint_eq(observed.ports_stopped, 2);
	new_stream_port(AF_INET);
	ck_assert_uint_eq(factory->starts, 2);
}
END_TEST

START_TEST(row_10_factory_that_does_not_start)
{
	const struct adopt_memory_port *ports;
	struct adopt_port *port = NULL;

	factory->start_error = -EIO;
	ck_assert_int_eq(adopt_stream_port(loop, FD, AF_INET, &factory->factory, &port), -EIO);
	ck_assert_ptr_null(port);
	ck_assert_uint_eq(adopt_memory_ports(loop, &ports), 0);
	ck_assert_uint_eq(adopt_reactor_port_count(loop), 0);
}
END_TEST

START_TEST(row_24_stop_comes_on_a_later_turn)
{
	struct adopt_port *port = new_datagram_port(0), *again = port;
	struct adopt_address peer = address_of("192.0.2.2:1024");

	ck_assert_uint_eq(datagrams.starts, 1);
	ck_assert_ptr_eq(datagrams.protocol.port, port);
	adopt_port_stop(&port);
	adopt_port_stop(&again);
	ck_assert_uint_eq(datagrams.stops, 0);
	ck_assert_int_eq(adopt_memory_datagram(datagrams.protocol.port, &peer, "a", 1), -EPIPE);
	ck_assert_int_eq(adopt_port_send(datagrams.protocol.port, &peer, "a", 1), -EPIPE);
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_uint_eq(datagrams.stops, 1);
	ck_assert_ptr_null(datagrams.protocol.port);
	ck_assert_ptr_null(port_record(0)->port);
	ck_assert_uint_eq(adopt_reactor_port_count(loop), 0);
}
END_TEST

START_TEST(pauses_are_recorded)
{
	struct adopt_port *stream = new_stream_port(AF_INET), *datagram = new_datagram_port(0);
	struct adopt_address peer = address_of("192.0.2.2:1024");

	adopt_port_pause(stream);
	ck_assert(port_record(0)->paused);
	ck_assert(!port_record(1)->paused);
	adopt_port_resume(stream);
	ck_assert(!port_record(0)->paused);
	adopt_port_pause(datagram);
	ck_assert_int_eq(adopt_memory_datagram(datagram, &peer, "a", 1), -EAGAIN);
	ck_assert_uint_eq(datagrams.received, 0);
	adopt_port_resume(datagram);
	ck_assert_int_eq(adopt_memory_datagram(datagram, &peer, "a", 1), 0);
	ck_assert_uint_eq(datagrams.received, 1);
}
END_TEST

START_TEST(row_22_datagrams_are_cut)
{
	static const size_t lengths[] = {0, 1, 8191, 8192, 8193, 20000};
	struct adopt_port *port = new_datagram_port(0);
	struct adopt_address peer = address_of("[fe80::2%4711]:1024");
	char bytes[20000];

	ck_assert_uint_eq(port_record(0)->max_packet_size, ADOPT_MAX_PACKET_SIZE);
	pattern_fill(0, bytes, sizeof bytes);
	ck_assert_int_eq(adopt_memory_datagram(port, &peer, bytes, lengths[_i]), 0);
	ck_assert_uint_eq(datagrams.received, 1);
	ck_assert_uint_eq(datagrams.length, lengths[_i] > 8192 ? 8192 : lengths[_i]);
	ck_assert(datagrams.truncated == (lengths[_i] > 8192));
	ck_assert(!datagrams.garbled);
	assert_same_address(&datagrams.peer, &peer);
}
END_TEST

START_TEST(sent_datagrams_are_kept)
{
	struct adopt_port *port = new_datagram_port(0);
	struct adopt_address to = address_of("192.0.2.2:1024");
	const struct adopt_memory_sent *sent;
	char bytes[] = "first";

	ck_assert_uint_eq(adopt_memory_sent(port, &sent), 0);
	ck_assert_int_eq(adopt_port_send(port, &to, bytes, 5), 0);
	memset(bytes, 'x', sizeof bytes);
	ck_assert_int_eq(adopt_port_send(port, NULL, NULL, 0), 0);
	ck_assert_int_eq(adopt_port_send(port, &to, "second", 6), 0);
	ck_assert_uint_eq(adopt_memory_sent(port, &sent), 3);
	assert_same_address(&sent[0].to, &to);
	ck_assert_uint_eq(sent[0].length, 5);
	ck_assert_mem_eq(sent[0].data, "first", 5);
	ck_assert_uint_eq(sent[1].to.length, 0);
	ck_assert_uint_eq(sent[1].length, 0);
	ck_assert_mem_eq(sent[2].data, "second", 6);
}
END_TEST

START_TEST(row_27_wrong_family_is_refused)
{
	struct adopt_port *port = new_datagram_port(0);
	struct adopt_address to = address_of("[::1]:80");
	const struct adopt_memory_sent *sent;

	ck_assert_int_eq(adopt_port_send(port, &to, "a", 1), -EAFNOSUPPORT);
	ck_assert_uint_eq(adopt_memory_sent(port, &sent), 0);
	to = address_of("192.0.2.2:80");
	ck_assert_int_eq(adopt_port_send(new_stream_port(AF_INET), &to, "a", 1), -EOPNOTSUPP);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory port");
	TCase *tests = memory_case("memory port");

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, row_10_factory_starts_and_stops_once);
	tcase_add_test(tests, row_10_factory_that_does_not_start);
	tcase_add_test(tests, row_24_stop_comes_on_a_later_turn);
	tcase_add_test(tests, pauses_are_recorded);
	tcase_add_loop_test(tests, row_22_datagrams_are_cut, 0, 6);
	tcase_add_test(tests, sent_datagrams_are_kept);
	tcase_add_test(tests, row_27_wrong_family_is_refused);
	return harness_main(suite);
}
