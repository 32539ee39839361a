/* Connected sockets that are handed over: contract rows 15 to 18. */
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
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
	return adopt_stream_connection(loop, fd, family, &factory->factory);
}

START_TEST(row_15_factory_is_neither_started_nor_stopped)
{
	int pair[2];

	tcp_pair(pair);
	factory->protocol_ops = &recorder_ops_required_only;
	adopt_recorded(factory, pair[1]);
	close(pair[0]);
	close(pair[1]);
	RUN_UNTIL(factory->built[0]->lost == 1);
	ck_assert_uint_eq(factory->starts + factory->stops, 0);
	ck_assert_uint_eq(factory->factory.ports, 0);
}
END_TEST

START_TEST(row_16_nothing_built)
{
	unsigned before;
	int pair[2];

	tcp_pair(pair);
	before = open_descriptors();
	factory->refuse = 1;
	ck_assert_int_eq(adopt(pair[1], AF_INET), -ECONNABORTED);
	ck_assert_uint_eq(factory->asked, 1);
	ck_assert_uint_eq(open_descriptors(), before);
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 0);
	send_text(pair[1], "the caller's own lives");
	assert_reads(pair[0], "the caller's own lives");
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(row_17_peer_comes_from_the_socket)
{
	struct adopt_address here, there, local, peer;
	struct recorder *recorder;
	int pair[2];

	place_pair(&places[_i], pair);
	here = own_address(pair[1]);
	there = peer_address(pair[1]);
	recorder = adopt_recorded(factory, pair[1]);
	assert_same_address(&recorder->peer, &there);
	ck_assert_int_eq(adopt_transport_peer(transport_of(recorder), &peer), 0);
	ck_assert_int_eq(adopt_transport_local(transport_of(recorder), &local), 0);
	assert_same_address(&peer, &there);
	assert_same_address(&local, &here);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(row_17_unnamed_peer)
{
	struct recorder *recorder;
	int pair[2];

	unix_pair(_i ? SOCK_SEQPACKET : SOCK_STREAM, pair);
	recorder = adopt_recorded(factory, pair[1]);
	ck_assert_int_eq(adopt_address_family(&recorder->peer), AF_UNIX);
	ck_assert_uint_eq(recorder->peer.length, offsetof(struct sockaddr_un, sun_path));
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(row_17_peer_already_gone)
{
	unsigned before;
	int pair[2];

	tcp_pair(pair);
	close_with_reset(pair[0]);
	before = open_descriptors();
	ck_assert_int_eq(adopt(pair[1], AF_INET), -ENOTCONN);
	ck_assert_uint_eq(factory->asked, 0);
	ck_assert_uint_eq(open_descriptors(), before);
	close(pair[1]);
}
END_TEST

START_TEST(row_17_never_connected)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(adopt(fd, AF_INET), -ENOTCONN);
	close(fd);
}
END_TEST

START_TEST(row_17_peer_stays_known)
{
	struct adopt_address there, peer;
	struct recorder *recorder;
	int pair[2];

	tcp_pair(pair);
	there = own_address(pair[0]);
	recorder = adopt_recorded(factory, pair[1]);
	close(pair[0]);
	close(pair[1]);
	RUN_UNTIL(recorder->read_closed == 1);
	ck_assert_int_eq(adopt_transport_peer(transport_of(recorder), &peer), 0);
	assert_same_address(&peer, &there);
}
END_TEST

START_TEST(row_18_made_before_the_call_returns)
{
	struct recorder *recorder;
	int pair[2];

	place_pair(&places[_i], pair);
	recorder = adopt_recorded(factory, pair[1]);
	ck_assert_uint_eq(recorder->made, 1);
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 1);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

/* As row 3 and row 5, for connections. */
START_TEST(row_03_descriptor_is_duplicated)
{
	struct recorder *recorder;
	int pair[2];

	place_pair(&places[_i], pair);
	send_text(pair[0], "sent before");
	recorder = adopt_recorded(factory, pair[1]);
	close(pair[1]);
	RUN_UNTIL(recorder->received == 11);
	ck_assert_str_eq(recorder->first, "sent before");
	write_text(recorder, "answer");
	assert_reads(pair[0], "answer");
	adopt_transport_close(transport_of(recorder));
	RUN_UNTIL(readable(pair[0]));
	ck_assert_int_eq(end_of(pair[0]), 0);
	close(pair[0]);
	RUN_UNTIL(recorder->lost == 1);
	ck_assert_int_eq(recorder->error, 0);
}
END_TEST

START_TEST(row_04_wrong_type)
{
	int pair[2];

	unix_pair(SOCK_DGRAM, pair);
	ck_assert_int_eq(adopt(pair[0], AF_UNIX), -ESOCKTNOSUPPORT);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(past_family_lie_is_refused)
{
	int pair[2];

	place_pair(&places[_i], pair);
	ck_assert_int_eq(adopt(pair[1], places[_i].family == AF_INET6 ? AF_INET : AF_INET6),
			 -EAFNOSUPPORT);
	ck_assert_uint_eq(factory->asked, 0);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(past_blocking_is_refused)
{
	int pair[2];

	place_pair(&places[_i], pair);
	ck_assert_int_eq(fcntl(pair[1], F_SETFL, 0), 0);
	ck_assert_int_eq(adopt(pair[1], AF_UNSPEC), -EWOULDBLOCK);
	ck_assert_uint_eq(factory->asked, 0);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(past_listening_is_refused)
{
	int listener = place_listener(&places[_i]);

	ck_assert_int_eq(adopt(listener, AF_UNSPEC), -EINVAL);
	ck_assert_uint_eq(factory->asked, 0);
	close(listener);
}
END_TEST

START_TEST(no_descriptor_left)
{
	int pair[2];

	tcp_pair(pair);
	use_up_descriptors(0);
	ck_assert_int_eq(adopt(pair[1], AF_INET), -EMFILE);
	give_back_descriptors();
	ck_assert_int_eq(adopt(pair[1], AF_INET), 0);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(observer_hears_of_both_ends)
{
	struct observed observed;
	int pair[2];

	observe(&observed);
	tcp_pair(pair);
	adopt_recorded(factory, pair[1]);
	ck_assert_uint_eq(observed.begun, 1);
	close(pair[1]);
	close_with_reset(pair[0]);
	RUN_UNTIL(observed.ended == 1);
	ck_assert_int_eq(observed.ended_error, -ECONNRESET);
	ck_assert_uint_eq(factory->built[0]->lost, 1);
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stream connection");
	TCase *tests = harness_case("stream connection");

	tcase_add_checked_fixture(tests, factory_set_up, factory_tear_down);
	suite_add_tcase(suite, tests);
	tcase_add_test(tests, row_15_factory_is_neither_started_nor_stopped);
	tcase_add_test(tests, row_16_nothing_built);
	tcase_add_loop_test(tests, row_17_peer_comes_from_the_socket, 0, PLACES);
	tcase_add_loop_test(tests, row_17_unnamed_peer, 0, 2);
	tcase_add_test(tests, row_17_peer_already_gone);
	tcase_add_test(tests, row_17_never_connected);
	tcase_add_test(tests, row_17_peer_stays_known);
	tcase_add_loop_test(tests, row_18_made_before_the_call_returns, 0, PLACES);
	tcase_add_loop_test(tests, row_03_descriptor_is_duplicated, 0, PLACES);
	tcase_add_test(tests, row_04_wrong_type);
	tcase_add_loop_test(tests, past_family_lie_is_refused, 0, PLACES);
	tcase_add_loop_test(tests, past_blocking_is_refused, 0, PLACES);
	tcase_add_loop_test(tests, past_listening_is_refused, 0, PLACES);
	tcase_add_test(tests, no_descriptor_left);
	tcase_add_test(tests, observer_hears_of_both_ends);
	return harness_main(suite);
}
