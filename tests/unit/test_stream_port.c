/* Listening sockets: contract rows 1 to 11, on every family. */
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct recorder_factory *factory;

static void factory_set_up(void)
{
	factory = recorder_factory_new();
}

static void factory_tear_down(void)
{
	free_loop();
	recorder_factory_free(factory);
}

static int adopt(int fd, int family)
{
	return adopt_stream_port(loop, fd, family, &factory->factory, NULL);
}

/* Adopts a place's listener, which the caller then holds as well. */
static int adopted_listener(const struct place *place, struct adopt_port **ret)
{
	int listener = place_listener(place);

	ck_assert_int_eq(adopt_stream_port(loop, listener, place->family, &factory->factory, ret),
			 0);
	return listener;
}

START_TEST(row_01_unknown_family_before_descriptor)
{
	struct datagram_recorder datagrams;

	datagram_recorder_init(&datagrams);
	ck_assert_int_eq(adopt(-1, AF_APPLETALK), -EAFNOSUPPORT);
	ck_assert_int_eq(adopt(-1, 12345), -EAFNOSUPPORT);
	ck_assert_int_eq(adopt_stream_connection(loop, -1, AF_APPLETALK, &factory->factory),
			 -EAFNOSUPPORT);
	ck_assert_int_eq(adopt_datagram_port(loop, -1, AF_APPLETALK, &datagrams.protocol, 0, NULL),
			 -EAFNOSUPPORT);
	ck_assert_uint_eq(factory->starts + factory->asked + datagrams.starts, 0);
}
END_TEST

START_TEST(row_02_closed_descriptor)
{
	struct datagram_recorder datagrams;
	int fd = place_listener(&places[0]);

	close(fd);
	datagram_recorder_init(&datagrams);
	ck_assert_int_eq(adopt(fd, AF_INET), -EBADF);
	ck_assert_int_eq(adopt(-1, AF_UNSPEC), -EBADF);
	ck_assert_int_eq(adopt_stream_connection(loop, fd, AF_INET, &factory->factory), -EBADF);
	ck_assert_int_eq(adopt_datagram_port(loop, fd, AF_INET, &datagrams.protocol, 0, NULL),
			 -EBADF);
	ck_assert_uint_eq(factory->starts, 0);
	ck_assert_uint_eq(adopt_reactor_port_count(loop), 0);
}
END_TEST

START_TEST(past_not_a_socket)
{
	int fd = open("/dev/null", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	ck_assert_int_eq(adopt(fd, AF_UNSPEC), -ENOTSOCK);
	close(fd);
}
END_TEST

START_TEST(row_03_descriptor_is_duplicated)
{
	const struct place *place = &places[_i];
	int listener = adopted_listener(place, NULL);
	int client = client_of(listener);

	close(listener);
	RUN_UNTIL(factory->count == 1);
	send_text(client, "hello");
	RUN_UNTIL(factory->built[0]->received == 5);
	ck_assert_str_eq(factory->built[0]->first, "hello");
	write_text(factory->built[0], "welcome");
	assert_reads(client, "welcome");
	close(client);
}
END_TEST

START_TEST(row_04_wrong_type)
{
	struct adopt_address address = fresh_address(AF_INET, false);
	int fd = bound_socket(SOCK_DGRAM, &address);
	int pair[2];

	unix_pair(SOCK_DGRAM, pair);
	ck_assert_int_eq(adopt(fd, AF_INET), -ESOCKTNOSUPPORT);
	ck_assert_int_eq(adopt(pair[0], AF_UNSPEC), -ESOCKTNOSUPPORT);
	close(fd);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(row_05_stop_only_closes)
{
	struct adopt_port *port;
	int listener = adopted_listener(&places[_i], &port);
	int client, accepted;

	adopt_port_stop(&port);
	ck_assert_ptr_null(port);
	RUN_UNTIL(factory->stops == 1);
	ck_assert_int_eq(accept(listener, NULL, NULL), -1);
	ck_assert_int_eq(errno, EAGAIN);
	client = client_of(listener);
	settle();
	ck_assert_uint_eq(factory->asked, 0);
	accepted = accept(listener, NULL, NULL);
	ck_assert_int_ge(accepted, 0);
	send_text(accepted, "served elsewhere");
	assert_reads(client, "served elsewhere");
	close(accepted);
	close(client);
	close(listener);
}
END_TEST

START_TEST(row_05_backlog_stays_for_others)
{
	struct adopt_port *port;
	int listener = adopted_listener(&places[_i], &port);
	int client = client_of(listener);
	int accepted;

	adopt_port_stop(&port);
	RUN_UNTIL(factory->stops == 1);
	ck_assert_uint_eq(factory->asked, 0);
	accepted = accept(listener, NULL, NULL);
	ck_assert_int_ge(accepted, 0);
	close(accepted);
	close(client);
	close(listener);
}
END_TEST

START_TEST(row_05_path_is_left_alone)
{
	struct adopt_port *port;
	int listener = adopted_listener(&places[2], &port);
	struct adopt_address address = own_address(listener);

	adopt_port_stop(&port);
	RUN_UNTIL(factory->stops == 1);
	ck_assert_int_eq(access(address.name.un.sun_path, F_OK), 0);
	close(listener);
}
END_TEST

START_TEST(row_06_port_tells_its_address)
{
	struct adopt_port *port;
	int listener = adopted_listener(&places[_i], &port);
	struct adopt_address told, own = own_address(listener);

	ck_assert_int_eq(adopt_port_local(port, &told), 0);
	assert_same_address(&told, &own);
	ck_assert_ptr_eq(adopt_port_reactor(port), loop);
	close(listener);
}
END_TEST

START_TEST(row_07_factory_is_told_the_peer)
{
	int listener = adopted_listener(&places[_i], NULL);
	int client = client_of(listener);
	struct adopt_address own = own_address(client);

	RUN_UNTIL(factory->count == 1);
	assert_same_address(&factory->built[0]->peer, &own);
	close(client);
	close(listener);
}
END_TEST

START_TEST(row_07_named_unix_client)
{
	int listener = adopted_listener(&places[2], NULL);
	struct adopt_address there = own_address(listener), here = fresh_address(AF_UNIX, _i);
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(client, &here.name.any, here.length), 0);
	ck_assert_int_eq(connect(client, &there.name.any, there.length), 0);
	RUN_UNTIL(factory->count == 1);
	assert_same_address(&factory->built[0]->peer, &here);
	close(client);
	close(listener);
}
END_TEST

START_TEST(row_08_transport_tells_both_addresses)
{
	int listener = adopted_listener(&places[_i], NULL);
	int client = client_of(listener);
	struct adopt_address local, peer, there = peer_address(client), here = own_address(client);
	struct recorder *recorder;

	RUN_UNTIL(factory->count == 1);
	recorder = factory->built[0];
	ck_assert_int_eq(adopt_transport_local(transport_of(recorder), &local), 0);
	ck_assert_int_eq(adopt_transport_peer(transport_of(recorder), &peer), 0);
	assert_same_address(&local, &there);
	assert_same_address(&peer, &here);
	ck_assert_ptr_eq(adopt_transport_reactor(transport_of(recorder)), loop);
	close(client);
	close(listener);
}
END_TEST

START_TEST(row_09_nothing_built)
{
	int listener = adopted_listener(&places[_i], NULL);
	int refused, served;

	factory->refuse = 1;
	refused = client_of(listener);
	served = client_of(listener);
	RUN_UNTIL(factory->count == 1);
	RUN_UNTIL(readable(refused));
	ck_assert_int_ne(end_of(refused), -EAGAIN);
	ck_assert(!readable(served));
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 1);
	close(refused);
	close(served);
	close(listener);
}
END_TEST

START_TEST(row_10_factory_starts_and_stops_once)
{
	struct adopt_port *first, *second;
	int one = adopted_listener(&places[0], &first);
	int two = adopted_listener(&places[2], &second);

	ck_assert_uint_eq(factory->starts, 1);
	ck_assert_uint_eq(adopt_reactor_port_count(loop), 2);
	adopt_port_stop(&first);
	RUN_UNTIL(adopt_reactor_port_count(loop) == 1);
	ck_assert_uint_eq(factory->stops, 0);
	adopt_port_stop(&second);
	RUN_UNTIL(adopt_reactor_port_count(loop) == 0);
	ck_assert_uint_eq(factory->starts, 1);
	ck_assert_uint_eq(factory->stops, 1);
	close(one);
	close(two);
}
END_TEST

START_TEST(row_10_factory_starts_anew)
{
	struct adopt_port *port;
	int listener = adopted_listener(&places[0], &port);

	adopt_port_stop(&port);
	RUN_UNTIL(factory->stops == 1);
	ck_assert_int_eq(adopt(listener, AF_INET), 0);
	ck_assert_uint_eq(factory->starts, 2);
	close(listener);
}
END_TEST

START_TEST(row_10_factory_that_does_not_start)
{
	int listener = place_listener(&places[0]);
	unsigned before = open_descriptors();

	factory->start_error = -EACCES;
	ck_assert_int_eq(adopt(listener, AF_INET), -EACCES);
	ck_assert_uint_eq(open_descriptors(), before);
	ck_assert_uint_eq(adopt_reactor_port_count(loop), 0);
	factory->start_error = 0;
	ck_assert_int_eq(adopt(listener, AF_INET), 0);
	ck_assert_uint_eq(factory->starts, 2);
	ck_assert_uint_eq(factory->stops, 0);
	close(listener);
}
END_TEST

START_TEST(row_10_connections_outlive_their_port)
{
	struct adopt_port *port;
	int listener = adopted_listener(&places[0], &port);
	int client = client_of(listener);

	RUN_UNTIL(factory->count == 1);
	adopt_port_stop(&port);
	RUN_UNTIL(factory->stops == 1);
	send_text(client, "still here");
	RUN_UNTIL(factory->built[0]->received == 10);
	ck_assert_uint_eq(factory->built[0]->lost, 0);
	close(client);
	close(listener);
}
END_TEST

static struct adopt_port *port_to_stop;

static void stop_port_while_building(void)
{
	adopt_port_stop(&port_to_stop);
	ck_assert_uint_eq(factory->stops, 0);
}

START_TEST(row_11_stop_inside_build_protocol)
{
	int listener = adopted_listener(&places[_i], &port_to_stop);
	int client = client_of(listener), late = client_of(listener);

	factory->hooks.building = stop_port_while_building;
	RUN_UNTIL(factory->stops == 1);
	ck_assert_uint_eq(factory->asked, 1);
	ck_assert_uint_eq(adopt_reactor_port_count(loop), 0);
	send_text(client, "hello");
	RUN_UNTIL(factory->built[0]->received == 5);
	close(client);
	close(late);
	close(listener);
}
END_TEST

START_TEST(row_11_stop_completes_later)
{
	struct adopt_port *port;
	struct observed observed;
	int listener;

	observe(&observed);
	listener = adopted_listener(&places[0], &port);
	adopt_port_stop(&port);
	ck_assert_uint_eq(factory->stops, 0);
	ck_assert_uint_eq(adopt_reactor_port_count(loop), 1);
	RUN_UNTIL(factory->stops == 1);
	ck_assert_uint_eq(observed.ports_stopped, 1);
	adopt_port_stop(&port);
	close(listener);
}
END_TEST

START_TEST(port_pauses_and_resumes)
{
	struct adopt_port *port;
	int listener = adopted_listener(&places[_i], &port);
	int client;

	adopt_port_pause(port);
	adopt_port_pause(port);
	client = client_of(listener);
	settle();
	ck_assert_uint_eq(factory->asked, 0);
	adopt_port_resume(port);
	adopt_port_resume(port);
	RUN_UNTIL(factory->count == 1);
	close(client);
	close(listener);
}
END_TEST

START_TEST(port_paused_may_stop)
{
	struct adopt_port *port;
	int listener = adopted_listener(&places[0], &port);

	adopt_port_pause(port);
	adopt_port_stop(&port);
	RUN_UNTIL(factory->stops == 1);
	close(listener);
}
END_TEST

START_TEST(port_sends_no_datagrams)
{
	struct adopt_port *port;
	int listener = adopted_listener(&places[0], &port);

	ck_assert_int_eq(adopt_port_send(port, NULL, "x", 1), -EOPNOTSUPP);
	close(listener);
}
END_TEST

START_TEST(past_family_is_found)
{
	int listener = place_listener(&places[_i]);
	int client;

	ck_assert_int_eq(adopt(listener, AF_UNSPEC), 0);
	client = client_of(listener);
	RUN_UNTIL(factory->count == 1);
	close(client);
	close(listener);
}
END_TEST

START_TEST(past_family_lie_is_refused)
{
	const struct place *place = &places[_i];
	int listener = place_listener(place);

	ck_assert_int_eq(adopt(listener, place->family == AF_INET ? AF_INET6 : AF_INET),
			 -EAFNOSUPPORT);
	ck_assert_uint_eq(factory->starts, 0);
	close(listener);
}
END_TEST

START_TEST(past_blocking_is_refused)
{
	int listener = place_listener(&places[_i]);

	ck_assert_int_eq(fcntl(listener, F_SETFL, 0), 0);
	ck_assert_int_eq(adopt(listener, AF_UNSPEC), -EWOULDBLOCK);
	ck_assert_int_eq(adopt_descriptor_prepare(listener), 0);
	ck_assert_int_eq(adopt(listener, AF_UNSPEC), 0);
	close(listener);
}
END_TEST

START_TEST(past_not_listening_is_refused)
{
	int pair[2];

	place_pair(&places[_i], pair);
	ck_assert_int_eq(adopt(pair[0], AF_UNSPEC), -EINVAL);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(past_records_are_kept)
{
	int listener = adopted_listener(&places[4 + _i], NULL);
	int client = client_of(listener);

	send_text(client, "one");
	send_text(client, "three");
	RUN_UNTIL(factory->count == 1 && factory->built[0]->calls == 2);
	ck_assert_uint_eq(factory->built[0]->lengths[0], 3);
	ck_assert_uint_eq(factory->built[0]->lengths[1], 5);
	close(client);
	close(listener);
}
END_TEST

START_TEST(past_descriptor_zero_is_legal)
{
	int listener = place_listener(&places[0]);
	int client;

	ck_assert_int_eq(dup2(listener, 0), 0);
	close(listener);
	ck_assert_int_eq(adopt(0, AF_INET), 0);
	client = client_of(0);
	close(0);
	RUN_UNTIL(factory->count == 1);
	close(client);
}
END_TEST

START_TEST(duplicates_are_close_on_exec)
{
	int listener = place_listener(&places[0]);
	unsigned before = open_descriptors();
	int client;

	ck_assert_int_eq(adopt(listener, AF_INET), 0);
	client = client_of(listener);
	RUN_UNTIL(factory->count == 1);
	assert_new_close_on_exec();
	ck_assert_uint_eq(open_descriptors(), before + 3);
	close(client);
	close(listener);
}
END_TEST

static TCase *the_case(void)
{
	TCase *tests = harness_case("stream port");

	tcase_add_checked_fixture(tests, factory_set_up, factory_tear_down);
	return tests;
}

int main(void)
{
	Suite *suite = suite_create("stream port");
	TCase *tests = the_case();

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, row_01_unknown_family_before_descriptor);
	tcase_add_test(tests, row_02_closed_descriptor);
	tcase_add_loop_test(tests, row_03_descriptor_is_duplicated, 0, PLACES);
	tcase_add_test(tests, row_04_wrong_type);
	tcase_add_loop_test(tests, row_05_stop_only_closes, 0, PLACES);
	tcase_add_loop_test(tests, row_05_backlog_stays_for_others, 0, PLACES);
	tcase_add_test(tests, row_05_path_is_left_alone);
	tcase_add_loop_test(tests, row_06_port_tells_its_address, 0, PLACES);
	tcase_add_loop_test(tests, row_07_factory_is_told_the_peer, 0, PLACES);
	tcase_add_loop_test(tests, row_07_named_unix_client, 0, 2);
	tcase_add_loop_test(tests, row_08_transport_tells_both_addresses, 0, PLACES);
	tcase_add_loop_test(tests, row_09_nothing_built, 0, PLACES);
	tcase_add_test(tests, row_10_factory_starts_and_stops_once);
	tcase_add_test(tests, row_10_factory_starts_anew);
	tcase_add_test(tests, row_10_factory_that_does_not_start);
	tcase_add_test(tests, row_10_connections_outlive_their_port);
	tcase_add_loop_test(tests, row_11_stop_inside_build_protocol, 0, PLACES);
	tcase_add_test(tests, row_11_stop_completes_later);
	tcase_add_loop_test(tests, port_pauses_and_resumes, 0, PLACES);
	tcase_add_test(tests, port_paused_may_stop);
	tcase_add_test(tests, port_sends_no_datagrams);
	tcase_add_test(tests, past_not_a_socket);
	tcase_add_loop_test(tests, past_family_is_found, 0, PLACES);
	tcase_add_loop_test(tests, past_family_lie_is_refused, 0, PLACES);
	tcase_add_loop_test(tests, past_blocking_is_refused, 0, PLACES);
	tcase_add_loop_test(tests, past_not_listening_is_refused, 0, PLACES);
	tcase_add_loop_test(tests, past_records_are_kept, 0, 2);
	tcase_add_test(tests, past_descriptor_zero_is_legal);
	tcase_add_test(tests, duplicates_are_close_on_exec);
	return harness_main(suite);
}
