/* Connections that are taken out of the reactor, given to another protocol, or
 * still there when it ends. */
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
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
	assert_reads(outer, "from the bare descriptor");
	close(taken);
	close(outer);
}

START_TEST(detach_when_made)
{
	struct recorder *recorder;

	factory->hooks.made = detach_in;
	recorder = connected(&places[_i]);
	send_text(outer, "unread");
	assert_taken(recorder, "unread");
	ck_assert_uint_eq(recorder->calls, 0);
}
END_TEST

START_TEST(detach_in_data_received)
{
	struct recorder *recorder = connected(&places[_i]);

	factory->hooks.data = detach_in_data;
	send_text(outer, "read");
	RUN_UNTIL(recorder->calls == 1);
	send_text(outer, "unread");
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
	send_text(outer, "unread");
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
	peer_start(&peer, outer, 0, false);
	RUN_UNTIL(peer.received == MUCH);
	adopt_transport_close(transport);
	ck_assert_int_eq(adopt_transport_detach(&transport, &taken), -EPIPE);
	adopt_transport_abort(transport);
	ck_assert_int_eq(adopt_transport_detach(&transport, &taken), -EPIPE);
	ck_assert_ptr_eq(transport, recorder->protocol.transport);
	ck_assert_int_eq(taken, -1);
	assert_lost(recorder, -ECONNABORTED);
	peer_stop(&peer);
	close(outer);
}
END_TEST

/* --- take_descriptor --- */

static void take_in(struct recorder *recorder)
{
	ck_assert_int_eq(adopt_transport_take_descriptor(transport_of(recorder), &taken), 0);
	ck_assert_int_eq(adopt_transport_descriptor(transport_of(recorder)), -1);
}

static void take_in_data(struct recorder *recorder, const void *data, size_t length)
{
	(void)data;
	(void)length;
	take_in(recorder);
}

/* Whatever is asked of the transport, it stays, and touches nothing. */
static void assert_husk(struct recorder *recorder)
{
	struct adopt_transport *husk = transport_of(recorder);
	unsigned char byte;
	size_t length;
	bool end;
	int fd = -1;

	ck_assert_int_eq(adopt_transport_write(husk, "x", 1), -EPIPE);
	ck_assert_int_eq(adopt_transport_peek(husk, &byte, 1, &length, &end), -EPIPE);
	ck_assert_int_eq(adopt_transport_skip(husk, 1), -EPIPE);
	ck_assert_int_eq(adopt_transport_detach(&husk, &fd), -EPIPE);
	ck_assert_int_eq(adopt_transport_take_descriptor(husk, &fd), -EPIPE);
	ck_assert_int_eq(adopt_transport_set_idle_timeout(husk, 1), 0);
	adopt_transport_pause(husk);
	adopt_transport_resume(husk);
	adopt_transport_shutdown_write(husk);
	settle();
	ck_assert_uint_eq(recorder->lost, 0);
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 1);
}

/* What is taken works on its own, before and after the transport's end. */
static void assert_taken_apart(struct recorder *recorder, bool abort)
{
	assert_husk(recorder);
	ck_assert_int_eq(fcntl(taken, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	send_text(taken, "from the bare descriptor");
	assert_reads(outer, "from the bare descriptor");
	if (abort)
		adopt_transport_abort(transport_of(recorder));
	else
		adopt_transport_close(transport_of(recorder));
	assert_lost(recorder, abort ? -ECONNABORTED : 0);
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 0);
	send_text(outer, "unread");
	assert_reads(taken, "unread");
	close(taken);
	ck_assert_int_eq(end_of(outer), 0);
	close(outer);
}

START_TEST(take_when_made)
{
	struct recorder *recorder;

	factory->hooks.made = take_in;
	recorder = connected(&places[_i]);
	ck_assert_int_eq(adopt_transport_set_idle_timeout(transport_of(recorder), 1), 0);
	assert_taken_apart(recorder, false);
	ck_assert_uint_eq(recorder->calls, 0);
}
END_TEST

START_TEST(take_in_data_received)
{
	struct recorder *recorder = connected(&places[_i]);

	factory->hooks.data = take_in_data;
	send_text(outer, "read");
	RUN_UNTIL(recorder->calls == 1);
	assert_taken_apart(recorder, true);
}
END_TEST

START_TEST(take_after_end_of_file)
{
	struct recorder *recorder;

	factory->hooks.read_closed = take_in;
	recorder = connected(&places[_i]);
	ck_assert_int_eq(shutdown(outer, SHUT_WR), 0);
	RUN_UNTIL(recorder->read_closed == 1);
	assert_husk(recorder);
	send_text(taken, "answer");
	assert_reads(outer, "answer");
	adopt_transport_close(transport_of(recorder));
	assert_lost(recorder, 0);
	close(taken);
	close(outer);
}
END_TEST

START_TEST(take_is_refused)
{
	struct recorder *recorder = connected(&places[_i]);
	struct adopt_transport *transport = transport_of(recorder);
	struct peer peer;

	taken = -1;
	queue_much(recorder);
	ck_assert_int_eq(adopt_transport_take_descriptor(transport, &taken), -EBUSY);
	peer_start(&peer, outer, 0, false);
	RUN_UNTIL(peer.received == MUCH);
	adopt_transport_close(transport);
	ck_assert_int_eq(adopt_transport_take_descriptor(transport, &taken), -EPIPE);
	adopt_transport_abort(transport);
	ck_assert_int_eq(taken, -1);
	assert_lost(recorder, -ECONNABORTED);
	peer_stop(&peer);
	close(outer);
}
END_TEST

START_TEST(reactor_ends_what_was_taken)
{
	struct recorder *recorder;

	factory->hooks.made = take_in;
	recorder = connected(&places[_i]);
	free_loop();
	ck_assert_uint_eq(recorder->lost, 1);
	ck_assert_int_eq(recorder->error, -ECANCELED);
	send_text(taken, "still there");
	assert_reads(outer, "still there");
	close(taken);
	close(outer);
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

/* Aborts what it is given. */
static void abort_in(struct recorder *recorder)
{
	adopt_transport_abort(transport_of(recorder));
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

	send_text(outer, "to the heir");
	RUN_UNTIL(heir->received == 11);
	write_text(heir, "from the heir");
	assert_reads(outer, "from the heir");
	close(outer);
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
	send_text(outer, "to the first");
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
	close(outer);
}
END_TEST

START_TEST(hand_over_to_who_detaches)
{
	struct recorder *recorder;

	factory->hooks.made = hand_over;
	heirs->hooks.made = detach_in;
	recorder = connected(&places[_i]);
	send_text(outer, "unread");
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

int main(void)
{
	Suite *suite = suite_create("take over");
	TCase *tests = harness_case("take over");

	tcase_add_checked_fixture(tests, factory_set_up, factory_tear_down);
	tcase_add_checked_fixture(tests, heirs_set_up, heirs_tear_down);
	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, detach_when_made, 0, PLACES);
	tcase_add_loop_test(tests, detach_in_data_received, 0, PLACES);
	tcase_add_loop_test(tests, detach_from_outside, 0, PLACES);
	tcase_add_loop_test(tests, detach_is_refused, 0, STREAM_PLACES);
	tcase_add_loop_test(tests, take_when_made, 0, PLACES);
	tcase_add_loop_test(tests, take_in_data_received, 0, PLACES);
	tcase_add_loop_test(tests, take_after_end_of_file, 0, STREAM_PLACES);
	tcase_add_loop_test(tests, take_is_refused, 0, STREAM_PLACES);
	tcase_add_loop_test(tests, reactor_ends_what_was_taken, 0, PLACES);
	tcase_add_loop_test(tests, hand_over_when_made, 0, PLACES);
	tcase_add_loop_test(tests, hand_over_in_data_received, 0, PLACES);
	tcase_add_loop_test(tests, hand_over_to_who_aborts, 0, PLACES);
	tcase_add_loop_test(tests, hand_over_to_who_detaches, 0, PLACES);
	tcase_add_test(tests, reactor_ends_with_everything_open);
	return harness_main(suite);
}
