/* How connections end: contract row 20, closing, resets, taking a connection out
 * or giving it away. */
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct recorder_factory *factory;
static int pair[2]; /* the test's end and the end that is adopted */

static void factory_set_up(void)
{
	factory = recorder_factory_new();
}

static void factory_tear_down(void)
{
	free_loop();
	recorder_factory_free(factory);
}

static struct recorder *connected(const struct place *place)
{
	struct recorder *recorder;

	place_pair(place, pair);
	recorder = adopt_recorded(factory, pair[1]);
	close(pair[1]);
	return recorder;
}

#define MUCH 3000000

static void queue_much(struct recorder *recorder)
{
	static unsigned char much[MUCH];

	pattern_fill(0, much, MUCH);
	ck_assert_int_eq(adopt_transport_write(transport_of(recorder), much, MUCH), 1);
}

/* A connection is over, and nothing of it is left. */
static void assert_lost(struct recorder *recorder, int error)
{
	RUN_UNTIL(recorder->lost == 1);
	settle();
	ck_assert_int_eq(recorder->error, error);
	ck_assert_ptr_null(recorder->protocol.transport);
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 0);
}

/* --- row 20: abort --- */

/* Aborts, twice, and what is asked for afterwards is harmless. */
static void abort_in(struct recorder *recorder)
{
	struct adopt_transport *transport = transport_of(recorder);

	adopt_transport_abort(transport);
	ck_assert_uint_eq(recorder->lost, 0);
	adopt_transport_abort(transport);
	adopt_transport_close(transport);
	adopt_transport_shutdown_write(transport);
	adopt_transport_pause(transport);
	adopt_transport_resume(transport);
	ck_assert_int_eq(adopt_transport_write(transport, "x", 1), -EPIPE);
}

static void abort_in_data(struct recorder *recorder, const void *data, size_t length)
{
	(void)data;
	(void)length;
	abort_in(recorder);
}

/* The end that a peer of each place sees: TCP has resets, UNIX has not. */
static void assert_peer_sees_abort(void)
{
	RUN_UNTIL(readable(pair[0]));
	if (own_address(pair[0]).name.any.sa_family == AF_INET)
		ck_assert_int_eq(end_of(pair[0]), -ECONNRESET);
	close(pair[0]);
}

START_TEST(row_20_abort_when_made)
{
	struct recorder *recorder;

	factory->hooks.made = abort_in;
	recorder = connected(&places[_i]);
	ck_assert_uint_eq(recorder->lost, 0);
	assert_lost(recorder, -ECONNABORTED);
	assert_peer_sees_abort();
}
END_TEST

START_TEST(row_20_abort_when_made_by_a_port)
{
	int listener = place_listener(&places[_i]);
	int client;

	factory->hooks.made = abort_in;
	ck_assert_int_eq(adopt_stream_port(loop, listener, AF_UNSPEC, &factory->factory, NULL), 0);
	client = client_of(listener);
	RUN_UNTIL(factory->count == 1);
	assert_lost(factory->built[0], -ECONNABORTED);
	close(client);
	close(listener);
}
END_TEST

START_TEST(row_20_abort_in_data_received)
{
	struct recorder *recorder = connected(&places[_i]);

	factory->hooks.data = abort_in_data;
	send_text(pair[0], "one");
	send_text(pair[0], "two");
	assert_lost(recorder, -ECONNABORTED);
	ck_assert_uint_eq(recorder->calls, 1);
	assert_peer_sees_abort();
}
END_TEST

START_TEST(row_20_abort_in_read_closed)
{
	struct recorder *recorder = connected(&places[_i]);

	factory->hooks.read_closed = abort_in;
	shutdown(pair[0], SHUT_WR);
	assert_lost(recorder, -ECONNABORTED);
	ck_assert_uint_eq(recorder->read_closed, 1);
	close(pair[0]);
}
END_TEST

START_TEST(row_20_abort_in_drained)
{
	struct recorder *recorder;
	struct peer peer;

	factory->hooks.drained = abort_in;
	recorder = connected(&places[_i]);
	queue_much(recorder);
	peer_start(&peer, pair[0], 0, false);
	assert_lost(recorder, -ECONNABORTED);
	ck_assert_uint_eq(recorder->drained, 1);
	ck_assert(!peer.garbled);
	peer_stop(&peer);
	close(pair[0]);
}
END_TEST

START_TEST(row_20_abort_from_outside)
{
	struct recorder *recorder = connected(&places[_i]);

	abort_in(recorder);
	assert_lost(recorder, -ECONNABORTED);
	assert_peer_sees_abort();
}
END_TEST

START_TEST(row_20_abort_drops_the_queue)
{
	struct recorder *recorder = connected(&places[_i]);
	struct peer peer;

	queue_much(recorder);
	adopt_transport_abort(transport_of(recorder));
	assert_lost(recorder, -ECONNABORTED);
	peer_start(&peer, pair[0], 0, false);
	RUN_UNTIL(peer.ended);
	ck_assert_uint_lt(peer.received, MUCH);
	peer_stop(&peer);
	close(pair[0]);
}
END_TEST

START_TEST(row_20_close_then_abort)
{
	struct recorder *recorder = connected(&places[_i]);

	queue_much(recorder);
	adopt_transport_close(transport_of(recorder));
	adopt_transport_abort(transport_of(recorder));
	assert_lost(recorder, -ECONNABORTED);
	close(pair[0]);
}
END_TEST

START_TEST(row_20_abort_while_lingering)
{
	struct recorder *recorder = connected(&places[_i]);

	adopt_transport_close(transport_of(recorder));
	settle();
	ck_assert_uint_eq(recorder->lost, 0);
	adopt_transport_abort(transport_of(recorder));
	assert_lost(recorder, -ECONNABORTED);
	close(pair[0]);
}
END_TEST

static struct recorder *victim;

static void abort_the_other(struct recorder *recorder, const void *data, size_t length)
{
	(void)data;
	(void)length;
	if (recorder != victim && victim->protocol.transport)
		adopt_transport_abort(victim->protocol.transport);
}

/* One connection aborts another that has an event of its own in the same turn. */
START_TEST(row_20_abort_of_another)
{
	int other[2];
	struct recorder *recorder;

	tcp_pair(other);
	victim = adopt_recorded(factory, other[1]);
	close(other[1]);
	recorder = connected(&places[0]);
	factory->hooks.data = abort_the_other;
	send_text(other[0], "x");
	send_text(pair[0], "x");
	RUN_UNTIL(victim->lost == 1);
	ck_assert_int_eq(victim->error, -ECONNABORTED);
	ck_assert_uint_eq(recorder->lost, 0);
	close(other[0]);
	close(pair[0]);
}
END_TEST

/* --- close --- */

static void close_in(struct recorder *recorder)
{
	adopt_transport_close(transport_of(recorder));
	adopt_transport_close(transport_of(recorder));
	ck_assert_int_eq(adopt_transport_write(transport_of(recorder), "x", 1), -EPIPE);
}

static void greet_and_close(struct recorder *recorder)
{
	write_text(recorder, "goodbye");
	close_in(recorder);
}

START_TEST(close_when_made)
{
	struct recorder *recorder;

	factory->hooks.made = greet_and_close;
	recorder = connected(&places[_i]);
	ck_assert_uint_eq(recorder->lost, 0);
	RUN_UNTIL(readable(pair[0]));
	assert_reads(pair[0], "goodbye");
	ck_assert_int_eq(end_of(pair[0]), 0);
	close(pair[0]);
	assert_lost(recorder, 0);
}
END_TEST

START_TEST(close_sends_the_queue_first)
{
	struct recorder *recorder = connected(&places[_i]);
	struct peer peer;

	queue_much(recorder);
	close_in(recorder);
	peer_start(&peer, pair[0], 0, true);
	RUN_UNTIL(peer.ended);
	ck_assert_int_eq(peer.error, 0);
	ck_assert_uint_eq(peer.received, MUCH);
	ck_assert(!peer.garbled);
	assert_lost(recorder, 0);
	peer_stop(&peer);
	close(pair[0]);
}
END_TEST

/* The peer has sent what nobody read, and goes on sending: closing with that
 * unread would reset the connection, and what was written could be lost. */
START_TEST(close_lingers_for_an_unread_peer)
{
	struct recorder *recorder;
	struct peer peer;

	recorder = connected(&places[_i]);
	adopt_transport_pause(transport_of(recorder));
	peer_start(&peer, pair[0], MUCH, true);
	RUN_UNTIL(peer.sent > 0);
	settle();
	queue_much(recorder);
	adopt_transport_close(transport_of(recorder));
	RUN_UNTIL(peer.ended && peer.sent == MUCH);
	ck_assert_int_eq(peer.error, 0);
	ck_assert_uint_eq(peer.received, MUCH);
	ck_assert(!peer.garbled);
	assert_lost(recorder, 0);
	ck_assert_uint_eq(recorder->calls, 0);
	ck_assert_uint_eq(recorder->read_closed, 0);
	peer_stop(&peer);
	close(pair[0]);
}
END_TEST

START_TEST(close_lingers_for_a_bounded_time)
{
	struct recorder *recorder = connected(&places[_i]);
	uint64_t began = adopt_reactor_now_ms(loop);

	close_in(recorder);
	RUN_UNTIL(recorder->lost == 1);
	ck_assert_int_eq(recorder->error, 0);
	ck_assert_uint_ge(adopt_reactor_now_ms(loop) - began, ADOPT_CLOSE_LINGER_MS - 10);
	close(pair[0]);
}
END_TEST

START_TEST(close_after_the_peer_has_ended)
{
	struct recorder *recorder = connected(&places[_i]);

	factory->hooks.read_closed = greet_and_close;
	shutdown(pair[0], SHUT_WR);
	assert_lost(recorder, 0);
	assert_reads(pair[0], "goodbye");
	ck_assert_int_eq(end_of(pair[0]), 0);
	close(pair[0]);
}
END_TEST

START_TEST(close_in_drained)
{
	struct recorder *recorder;
	struct peer peer;

	factory->hooks.drained = close_in;
	recorder = connected(&places[_i]);
	queue_much(recorder);
	peer_start(&peer, pair[0], 0, true);
	RUN_UNTIL(peer.ended);
	ck_assert_uint_eq(peer.received, MUCH);
	assert_lost(recorder, 0);
	peer_stop(&peer);
	close(pair[0]);
}
END_TEST

static void close_in_data(struct recorder *recorder, const void *data, size_t length)
{
	(void)data;
	(void)length;
	close_in(recorder);
}

START_TEST(closed_receives_no_more)
{
	struct recorder *recorder = connected(&places[_i]);

	factory->hooks.data = close_in_data;
	send_text(pair[0], "one");
	RUN_UNTIL(recorder->calls == 1);
	send_text(pair[0], "two");
	close(pair[0]);
	assert_lost(recorder, 0);
	ck_assert_uint_eq(recorder->calls, 1);
	ck_assert_uint_eq(recorder->read_closed, 0);
}
END_TEST

/* --- the peer is gone --- */

START_TEST(reset_by_the_peer)
{
	struct recorder *recorder = connected(&places[_i]);

	close_with_reset(pair[0]);
	assert_lost(recorder, -ECONNRESET);
	ck_assert_uint_eq(recorder->read_closed, 0);
}
END_TEST

START_TEST(reset_while_lingering)
{
	struct recorder *recorder = connected(&places[_i]);

	adopt_transport_close(transport_of(recorder));
	settle();
	close_with_reset(pair[0]);
	RUN_UNTIL(recorder->lost == 1);
}
END_TEST

START_TEST(reset_while_writing)
{
	struct recorder *recorder = connected(&places[_i]);

	queue_much(recorder);
	send_text(pair[0], "unread");
	close_with_reset(pair[0]);
	RUN_UNTIL(recorder->lost == 1);
	ck_assert_int_ne(recorder->error, 0);
}
END_TEST

/* What the peer sent before it went is still delivered. */
START_TEST(last_words_are_heard)
{
	struct recorder *recorder = connected(&places[_i]);

	adopt_transport_pause(transport_of(recorder));
	send_text(pair[0], "last words");
	close(pair[0]);
	for (int i = 0; i < 3; i++) {
		adopt_transport_write(transport_of(recorder), "x", 1);
		settle();
	}
	adopt_transport_resume(transport_of(recorder));
	if (places[_i].family == AF_UNIX) {
		RUN_UNTIL(recorder->received == 10);
		ck_assert_str_eq(recorder->first, "last words");
	}
	RUN_UNTIL(recorder->lost == 1 || recorder->read_closed == 1);
}
END_TEST

/* --- detach --- */

static int taken;

static void detach_in(struct recorder *recorder)
{
	struct adopt_transport *transport = transport_of(recorder);

	ck_assert_int_eq(adopt_transport_detach(&transport, &taken), 0);
	ck_assert_ptr_null(transport);
	ck_assert_ptr_null(recorder->protocol.transport);
}

static void detach_in_data(struct recorder *recorder, const void *data, size_t length)
{
	(void)data;
	(void)length;
	detach_in(recorder);
}

/* The bare descriptor works, is non-blocking and close-on-exec, and nothing of
 * the connection is left. */
static void assert_taken(struct recorder *recorder, const char *unread)
{
	settle();
	ck_assert_uint_eq(recorder->lost, 0);
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 0);
	ck_assert_int_eq(fcntl(taken, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ck_assert_int_eq(fcntl(taken, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_reads(taken, unread);
	send_text(taken, "from the bare descriptor");
	assert_reads(pair[0], "from the bare descriptor");
	close(taken);
	close(pair[0]);
}

START_TEST(detach_when_made)
{
	struct recorder *recorder;

	factory->hooks.made = detach_in;
	recorder = connected(&places[_i]);
	send_text(pair[0], "unread");
	assert_taken(recorder, "unread");
	ck_assert_uint_eq(recorder->calls, 0);
}
END_TEST

START_TEST(detach_in_data_received)
{
	struct recorder *recorder = connected(&places[_i]);

	factory->hooks.data = detach_in_data;
	send_text(pair[0], "read");
	RUN_UNTIL(recorder->calls == 1);
	send_text(pair[0], "unread");
	assert_taken(recorder, "unread");
	ck_assert_uint_eq(recorder->calls, 1);
}
END_TEST

START_TEST(detach_from_outside)
{
	struct recorder *recorder = connected(&places[_i]);
	struct observed observed;

	observe(&observed);
	detach_in(recorder);
	ck_assert_uint_eq(observed.ended, 1);
	send_text(pair[0], "unread");
	assert_taken(recorder, "unread");
}
END_TEST

START_TEST(detach_is_refused)
{
	struct recorder *recorder = connected(&places[_i]);
	struct adopt_transport *transport = transport_of(recorder);
	struct peer peer;

	taken = -1;
	queue_much(recorder);
	ck_assert_int_eq(adopt_transport_detach(&transport, &taken), -EBUSY);
	peer_start(&peer, pair[0], 0, false);
	RUN_UNTIL(peer.received == MUCH);
	adopt_transport_close(transport);
	ck_assert_int_eq(adopt_transport_detach(&transport, &taken), -EPIPE);
	adopt_transport_abort(transport);
	ck_assert_int_eq(adopt_transport_detach(&transport, &taken), -EPIPE);
	ck_assert_ptr_eq(transport, recorder->protocol.transport);
	ck_assert_int_eq(taken, -1);
	assert_lost(recorder, -ECONNABORTED);
	peer_stop(&peer);
	close(pair[0]);
}
END_TEST

/* --- hand_to --- */

static struct recorder_factory *heirs;
static struct recorder *heir;

static void heirs_set_up(void)
{
	struct adopt_address nobody = {0};

	heirs = recorder_factory_new();
	heir = (struct recorder *)heirs->factory.ops->build_protocol(&heirs->factory, &nobody);
}

static void heirs_tear_down(void)
{
	free_loop();
	recorder_factory_free(heirs);
}

static void hand_over(struct recorder *recorder)
{
	adopt_transport_hand_to(transport_of(recorder), &heir->protocol);
	ck_assert_uint_eq(heir->made, 1);
	ck_assert_ptr_null(recorder->protocol.transport);
}

static void hand_over_in_data(struct recorder *recorder, const void *data, size_t length)
{
	(void)data;
	(void)length;
	hand_over(recorder);
}

/* The heir gets everything from now on, and the old protocol nothing. */
static void assert_inherited(struct recorder *recorder)
{
	unsigned calls = recorder->calls;

	send_text(pair[0], "to the heir");
	RUN_UNTIL(heir->received == 11);
	write_text(heir, "from the heir");
	assert_reads(pair[0], "from the heir");
	close(pair[0]);
	RUN_UNTIL(heir->read_closed == 1);
	adopt_transport_close(transport_of(heir));
	assert_lost(heir, 0);
	ck_assert_uint_eq(recorder->calls, calls);
	ck_assert_uint_eq(recorder->lost + recorder->read_closed, 0);
}

START_TEST(hand_over_when_made)
{
	factory->hooks.made = hand_over;
	assert_inherited(connected(&places[_i]));
}
END_TEST

START_TEST(hand_over_in_data_received)
{
	struct recorder *recorder = connected(&places[_i]);

	factory->hooks.data = hand_over_in_data;
	send_text(pair[0], "to the first");
	RUN_UNTIL(recorder->calls == 1);
	assert_inherited(recorder);
}
END_TEST

START_TEST(hand_over_to_who_aborts)
{
	struct recorder *recorder;

	factory->hooks.made = hand_over;
	heirs->hooks.made = abort_in;
	recorder = connected(&places[_i]);
	assert_lost(heir, -ECONNABORTED);
	ck_assert_uint_eq(recorder->lost, 0);
	close(pair[0]);
}
END_TEST

START_TEST(hand_over_to_who_detaches)
{
	struct recorder *recorder;

	factory->hooks.made = hand_over;
	heirs->hooks.made = detach_in;
	recorder = connected(&places[_i]);
	send_text(pair[0], "unread");
	assert_taken(heir, "unread");
	ck_assert_uint_eq(recorder->lost, 0);
}
END_TEST

/* --- the end of the reactor --- */

START_TEST(reactor_ends_with_everything_open)
{
	struct recorder *plain = connected(&places[0]);
	struct datagram_recorder datagrams;
	struct adopt_call call = {0};
	struct recorder *queued, *closing, *aborted;
	int listener = place_listener(&places[2]), udp[2], more[3][2];
	struct adopt_address address = own_address(listener);

	datagram_recorder_init(&datagrams);
	unix_pair(SOCK_DGRAM, udp);
	for (int i = 0; i < 3; i++)
		tcp_pair(more[i]);
	queued = adopt_recorded(factory, more[0][1]);
	closing = adopt_recorded(factory, more[1][1]);
	aborted = adopt_recorded(factory, more[2][1]);
	queue_much(queued);
	adopt_transport_close(transport_of(closing));
	adopt_transport_abort(transport_of(aborted));
	ck_assert_int_eq(adopt_stream_port(loop, listener, AF_UNIX, &factory->factory, NULL), 0);
	ck_assert_int_eq(adopt_datagram_port(loop, udp[0], AF_UNIX, &datagrams.protocol, 0, NULL),
			 0);
	ck_assert_int_eq(
		adopt_connect_stream(loop, &address, SOCK_STREAM, 0, &factory->factory, NULL), 0);
	adopt_call_soon(loop, &call);
	free_loop();
	ck_assert_int_eq(plain->error, -ECANCELED);
	ck_assert_int_eq(queued->error, -ECANCELED);
	ck_assert_uint_eq(closing->lost, 1);
	ck_assert_int_eq(aborted->error, -ECONNABORTED);
	ck_assert_uint_eq(factory->stops, 1);
	ck_assert_uint_eq(datagrams.stops, 1);
	ck_assert_int_eq(factory->connect_error, -ECANCELED);
	ck_assert(!call.waiting);
}
END_TEST

static void add_hand_over_tests(Suite *suite)
{
	TCase *tests = harness_case("hand over");

	tcase_add_checked_fixture(tests, factory_set_up, factory_tear_down);
	tcase_add_checked_fixture(tests, heirs_set_up, heirs_tear_down);
	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, hand_over_when_made, 0, PLACES);
	tcase_add_loop_test(tests, hand_over_in_data_received, 0, PLACES);
	tcase_add_loop_test(tests, hand_over_to_who_aborts, 0, PLACES);
	tcase_add_loop_test(tests, hand_over_to_who_detaches, 0, PLACES);
}

static void add_abort_tests(TCase *tests)
{
	tcase_add_loop_test(tests, row_20_abort_when_made, 0, PLACES);
	tcase_add_loop_test(tests, row_20_abort_when_made_by_a_port, 0, PLACES);
	tcase_add_loop_test(tests, row_20_abort_in_data_received, 0, PLACES);
	tcase_add_loop_test(tests, row_20_abort_in_read_closed, 0, PLACES);
	tcase_add_loop_test(tests, row_20_abort_in_drained, 0, STREAM_PLACES);
	tcase_add_loop_test(tests, row_20_abort_from_outside, 0, PLACES);
	tcase_add_loop_test(tests, row_20_abort_drops_the_queue, 0, STREAM_PLACES);
	tcase_add_loop_test(tests, row_20_close_then_abort, 0, STREAM_PLACES);
	tcase_add_loop_test(tests, row_20_abort_while_lingering, 0, PLACES);
	tcase_add_test(tests, row_20_abort_of_another);
}

int main(void)
{
	Suite *suite = suite_create("connection end");
	TCase *tests = harness_case("connection end");

	tcase_add_checked_fixture(tests, factory_set_up, factory_tear_down);
	suite_add_tcase(suite, tests);
	add_abort_tests(tests);
	tcase_add_loop_test(tests, close_when_made, 0, PLACES);
	tcase_add_loop_test(tests, close_sends_the_queue_first, 0, STREAM_PLACES);
	tcase_add_loop_test(tests, close_lingers_for_an_unread_peer, 0, STREAM_PLACES);
	tcase_add_test(tests, close_lingers_for_a_bounded_time);
	tcase_add_loop_test(tests, close_after_the_peer_has_ended, 0, PLACES);
	tcase_add_loop_test(tests, close_in_drained, 0, STREAM_PLACES);
	tcase_add_loop_test(tests, closed_receives_no_more, 0, PLACES);
	tcase_add_loop_test(tests, reset_by_the_peer, 0, 2);
	tcase_add_loop_test(tests, reset_while_lingering, 0, 2);
	tcase_add_loop_test(tests, reset_while_writing, 0, 2);
	tcase_add_loop_test(tests, last_words_are_heard, 0, PLACES);
	tcase_add_loop_test(tests, detach_when_made, 0, PLACES);
	tcase_add_loop_test(tests, detach_in_data_received, 0, PLACES);
	tcase_add_loop_test(tests, detach_from_outside, 0, PLACES);
	tcase_add_loop_test(tests, detach_is_refused, 0, STREAM_PLACES);
	tcase_add_test(tests, reactor_ends_with_everything_open);
	add_hand_over_tests(suite);
	return harness_main(suite);
}
