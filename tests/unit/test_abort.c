/* Aborting a connection, from everywhere: contract row 20. */
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
	RUN_UNTIL(readable(outer));
	if (own_address(outer).name.any.sa_family == AF_INET)
		ck_assert_int_eq(end_of(outer), -ECONNRESET);
	close(outer);
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
	send_text(outer, "one");
	send_text(outer, "two");
	assert_lost(recorder, -ECONNABORTED);
	ck_assert_uint_eq(recorder->calls, 1);
	assert_peer_sees_abort();
}
END_TEST

START_TEST(row_20_abort_in_read_closed)
{
	struct recorder *recorder = connected(&places[_i]);

	factory->hooks.read_closed = abort_in;
	shutdown(outer, SHUT_WR);
	assert_lost(recorder, -ECONNABORTED);
	ck_assert_uint_eq(recorder->read_closed, 1);
	close(outer);
}
END_TEST

START_TEST(row_20_abort_in_drained)
{
	struct recorder *recorder;
	struct peer peer;

	factory->hooks.drained = abort_in;
	recorder = connected(&places[_i]);
	queue_much(recorder);
	peer_start(&peer, outer, 0, false);
	assert_lost(recorder, -ECONNABORTED);
	ck_assert_uint_eq(recorder->drained, 1);
	ck_assert(!peer.garbled);
	peer_stop(&peer);
	close(outer);
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
	peer_start(&peer, outer, 0, false);
	RUN_UNTIL(peer.ended);
	ck_assert_uint_lt(peer.received, MUCH);
	peer_stop(&peer);
	close(outer);
}
END_TEST

START_TEST(row_20_close_then_abort)
{
	struct recorder *recorder = connected(&places[_i]);

	queue_much(recorder);
	adopt_transport_close(transport_of(recorder));
	adopt_transport_abort(transport_of(recorder));
	assert_lost(recorder, -ECONNABORTED);
	close(outer);
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
	close(outer);
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
	send_text(outer, "x");
	RUN_UNTIL(victim->lost == 1);
	ck_assert_int_eq(victim->error, -ECONNABORTED);
	ck_assert_uint_eq(recorder->lost, 0);
	close(other[0]);
	close(outer);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("abort");
	TCase *tests = harness_case("abort");

	tcase_add_checked_fixture(tests, factory_set_up, factory_tear_down);
	suite_add_tcase(suite, tests);
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
	return harness_main(suite);
}
