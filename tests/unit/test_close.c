/* Connections that end: closed here, or by a peer that goes away. */
#include "recorder.h"

#include <errno.h>
#include <unistd.h>

static struct recorder_factory *factory;
static int outer; /* the test's end of the connection */

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
	return recorder_connected(factory, place, &outer);
}

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
	RUN_UNTIL(readable(outer));
	assert_reads(outer, "goodbye");
	ck_assert_int_eq(end_of(outer), 0);
	close(outer);
	assert_lost(recorder, 0);
}
END_TEST

START_TEST(close_sends_the_queue_first)
{
	struct recorder *recorder = connected(&places[_i]);
	struct peer peer;

	queue_much(recorder);
	close_in(recorder);
	peer_start(&peer, outer, 0, true);
	RUN_UNTIL(peer.ended);
	ck_assert_int_eq(peer.error, 0);
	ck_assert_uint_eq(peer.received, MUCH);
	ck_assert(!peer.garbled);
	assert_lost(recorder, 0);
	peer_stop(&peer);
	close(outer);
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
	peer_start(&peer, outer, MUCH, true);
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
	close(outer);
}
END_TEST

START_TEST(close_lingers_for_a_bounded_time)
{
	struct recorder *recorder = connected(&places[_i]);
	uint64_t began = adopt_reactor_now_ms(loop);

	close_in(recorder);
	RUN_UNTIL(recorder->lost == 1);
	ck_assert_int_eq(recorder->error, 0);
	ck_assert_uint_ge(adopt_reactor_now_ms(loop) - began,
			  ADOPT_CLOSE_LINGER_MS - CLOCK_STEP_MS);
	close(outer);
}
END_TEST

START_TEST(close_after_the_peer_has_ended)
{
	struct recorder *recorder = connected(&places[_i]);

	factory->hooks.read_closed = greet_and_close;
	shutdown(outer, SHUT_WR);
	assert_lost(recorder, 0);
	assert_reads(outer, "goodbye");
	ck_assert_int_eq(end_of(outer), 0);
	close(outer);
}
END_TEST

START_TEST(close_in_drained)
{
	struct recorder *recorder;
	struct peer peer;

	factory->hooks.drained = close_in;
	recorder = connected(&places[_i]);
	queue_much(recorder);
	peer_start(&peer, outer, 0, true);
	RUN_UNTIL(peer.ended);
	ck_assert_uint_eq(peer.received, MUCH);
	assert_lost(recorder, 0);
	peer_stop(&peer);
	close(outer);
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
	send_text(outer, "one");
	RUN_UNTIL(recorder->calls == 1);
	send_text(outer, "two");
	close(outer);
	assert_lost(recorder, 0);
	ck_assert_uint_eq(recorder->calls, 1);
	ck_assert_uint_eq(recorder->read_closed, 0);
}
END_TEST

/* --- the peer is gone --- */

START_TEST(reset_by_the_peer)
{
	struct recorder *recorder = connected(&places[_i]);

	close_with_reset(outer);
	assert_lost(recorder, -ECONNRESET);
	ck_assert_uint_eq(recorder->read_closed, 0);
}
END_TEST

START_TEST(reset_while_lingering)
{
	struct recorder *recorder = connected(&places[_i]);

	adopt_transport_close(transport_of(recorder));
	settle();
	close_with_reset(outer);
	RUN_UNTIL(recorder->lost == 1);
}
END_TEST

START_TEST(reset_while_writing)
{
	struct recorder *recorder = connected(&places[_i]);

	queue_much(recorder);
	send_text(outer, "unread");
	close_with_reset(outer);
	RUN_UNTIL(recorder->lost == 1);
	ck_assert_int_ne(recorder->error, 0);
}
END_TEST

/* What the peer sent before it went is still delivered. */
START_TEST(last_words_are_heard)
{
	struct recorder *recorder = connected(&places[_i]);

	adopt_transport_pause(transport_of(recorder));
	send_text(outer, "last words");
	close(outer);
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

int main(void)
{
	Suite *suite = suite_create("close");
	TCase *tests = harness_case("close");

	tcase_add_checked_fixture(tests, factory_set_up, factory_tear_down);
	suite_add_tcase(suite, tests);
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
	return harness_main(suite);
}
