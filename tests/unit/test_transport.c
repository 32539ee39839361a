/* What a transport does with bytes: contract rows 19 and 21, writing with a bound,
 * large transfers. */
#include "recorder.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
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

/* --- row 19: pause and resume --- */

START_TEST(row_19_paused_reads_nothing)
{
	struct recorder *recorder = connected(&places[_i]);

	adopt_transport_pause(transport_of(recorder));
	adopt_transport_pause(transport_of(recorder));
	send_text(outer, "hello");
	settle();
	ck_assert_uint_eq(recorder->received, 0);
	adopt_transport_resume(transport_of(recorder));
	adopt_transport_resume(transport_of(recorder));
	RUN_UNTIL(recorder->received == 5);
	close(outer);
}
END_TEST

START_TEST(row_19_paused_misses_the_end)
{
	struct recorder *recorder = connected(&places[_i]);

	adopt_transport_pause(transport_of(recorder));
	close(outer);
	settle();
	ck_assert_uint_eq(recorder->read_closed, 0);
	ck_assert_uint_eq(recorder->lost, 0);
	adopt_transport_resume(transport_of(recorder));
	RUN_UNTIL(recorder->read_closed == 1);
}
END_TEST

static void pause_in(struct recorder *recorder)
{
	adopt_transport_pause(transport_of(recorder));
}

static void pause_in_data(struct recorder *recorder, const void *data, size_t length)
{
	(void)data;
	(void)length;
	adopt_transport_pause(transport_of(recorder));
}

static void pause_and_resume_in_data(struct recorder *recorder, const void *data, size_t length)
{
	(void)data;
	(void)length;
	adopt_transport_pause(transport_of(recorder));
	adopt_transport_resume(transport_of(recorder));
}

START_TEST(row_19_pause_when_made)
{
	struct recorder *recorder;

	factory->hooks.made = pause_in;
	recorder = connected(&places[_i]);
	send_text(outer, "hello");
	settle();
	ck_assert_uint_eq(recorder->received, 0);
	adopt_transport_resume(transport_of(recorder));
	RUN_UNTIL(recorder->received == 5);
	close(outer);
}
END_TEST

/* The rest of what has come waits as well: one callback a resume. */
START_TEST(row_19_pause_takes_effect_at_once)
{
	struct recorder *recorder = connected(&places[_i]);
	struct peer peer;

	factory->hooks.data = pause_in_data;
	peer_start(&peer, outer, 1 << 20, true);
	for (unsigned calls = 1; !recorder->read_closed; calls++) {
		adopt_transport_resume(transport_of(recorder));
		RUN_UNTIL(recorder->calls == calls || recorder->read_closed);
		ck_assert_uint_le(recorder->calls, calls);
	}
	ck_assert_uint_eq(recorder->received, 1 << 20);
	ck_assert(!recorder->garbled);
	peer_stop(&peer);
	close(outer);
}
END_TEST

START_TEST(row_19_pause_and_resume_inside)
{
	struct recorder *recorder = connected(&places[_i]);
	struct peer peer;

	factory->hooks.data = pause_and_resume_in_data;
	peer_start(&peer, outer, 1 << 20, true);
	RUN_UNTIL(recorder->read_closed == 1);
	ck_assert_uint_eq(recorder->received, 1 << 20);
	peer_stop(&peer);
	close(outer);
}
END_TEST

START_TEST(row_19_paused_still_writes)
{
	struct recorder *recorder = connected(&places[_i]);

	adopt_transport_pause(transport_of(recorder));
	write_text(recorder, "hello");
	assert_reads(outer, "hello");
	close(outer);
}
END_TEST

/* --- row 21: half-close --- */

START_TEST(row_21_peer_ends_its_half)
{
	struct recorder *recorder = connected(&places[_i]);

	send_text(outer, "question");
	shutdown(outer, SHUT_WR);
	RUN_UNTIL(recorder->read_closed == 1);
	ck_assert_str_eq(recorder->first, "question");
	settle();
	ck_assert_uint_eq(recorder->lost, 0);
	write_text(recorder, "answer");
	assert_reads(outer, "answer");
	adopt_transport_shutdown_write(transport_of(recorder));
	RUN_UNTIL(recorder->lost == 1);
	ck_assert_int_eq(recorder->error, 0);
	ck_assert_uint_eq(recorder->read_closed, 1);
	ck_assert_int_eq(end_of(outer), 0);
	close(outer);
}
END_TEST

START_TEST(row_21_own_half_ends)
{
	struct recorder *recorder = connected(&places[_i]);

	write_text(recorder, "answer");
	adopt_transport_shutdown_write(transport_of(recorder));
	adopt_transport_shutdown_write(transport_of(recorder));
	ck_assert_int_eq(adopt_transport_write(transport_of(recorder), "x", 1), -EPIPE);
	RUN_UNTIL(readable(outer));
	assert_reads(outer, "answer");
	ck_assert_int_eq(end_of(outer), 0);
	send_text(outer, "still talking");
	RUN_UNTIL(recorder->received == 13);
	ck_assert_uint_eq(recorder->read_closed, 0);
	close(outer);
	RUN_UNTIL(recorder->lost == 1);
	ck_assert_int_eq(recorder->error, 0);
	ck_assert_uint_eq(recorder->read_closed, 1);
}
END_TEST

/* The end of file comes behind all that was queued. */
START_TEST(row_21_own_half_ends_after_the_queue)
{
	struct recorder *recorder = connected(&places[_i]);
	struct peer peer;

	queue_much(recorder);
	adopt_transport_shutdown_write(transport_of(recorder));
	ck_assert_uint_gt(adopt_transport_queued(transport_of(recorder)), 0);
	peer_start(&peer, outer, 0, false);
	RUN_UNTIL(peer.ended);
	ck_assert_int_eq(peer.error, 0);
	ck_assert_uint_eq(peer.received, MUCH);
	ck_assert(!peer.garbled);
	ck_assert_uint_eq(recorder->lost, 0);
	send_text(outer, "x");
	RUN_UNTIL(recorder->received == 1);
	peer_stop(&peer);
	close(outer);
}
END_TEST

/* A write is told of the reset before a read is: what the peer sent before it arrives, and
 * is not taken for all that it had to say. */
START_TEST(reset_is_no_end)
{
	struct recorder *recorder = connected(&places[_i]);

	adopt_transport_pause(transport_of(recorder));
	send_text(outer, "half a wor");
	RUN_UNTIL(readable(adopt_transport_descriptor(transport_of(recorder))));
	close_with_reset(outer);
	ck_assert_int_eq(adopt_transport_write(transport_of(recorder), "x", 1), -EPIPE);
	adopt_transport_resume(transport_of(recorder));
	assert_lost(recorder, -ECONNRESET);
	ck_assert_uint_eq(recorder->read_closed, 0);
	ck_assert_str_eq(recorder->first, "half a wor");
}
END_TEST

static void write_much_and_nothing_else(struct recorder *recorder, const void *data, size_t length)
{
	(void)data;
	(void)length;
	queue_much(recorder);
}

/* A protocol without read_closed: closed, after what is still to be written. */
START_TEST(row_21_nobody_asks_for_the_half)
{
	struct recorder *recorder;
	struct peer peer;

	factory->protocol_ops = &recorder_ops_required_only;
	factory->hooks.data = write_much_and_nothing_else;
	recorder = connected(&places[_i]);
	peer_start(&peer, outer, 1, true);
	RUN_UNTIL(peer.ended);
	ck_assert_int_eq(peer.error, 0);
	ck_assert_uint_eq(peer.received, MUCH);
	RUN_UNTIL(recorder->lost == 1);
	ck_assert_int_eq(recorder->error, 0);
	peer_stop(&peer);
	close(outer);
}
END_TEST

/* --- what the system is told --- */

static int no_delay(int fd)
{
	int on = -1;
	socklen_t size = sizeof on;

	ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
	return on;
}

/* From the second write on there may be something to wait for. */
START_TEST(small_writes_are_not_held_back)
{
	struct recorder *recorder = connected(&places[_i]);
	int fd = adopt_transport_descriptor(transport_of(recorder));

	write_text(recorder, "one");
	write_text(recorder, "two");
	ck_assert_int_ne(no_delay(fd), 0);
	close(outer);
}
END_TEST

/* Whoever gets the socket has it as a connection of a server should be. */
START_TEST(detached_is_undelayed)
{
	struct recorder *recorder = connected(&places[_i]);
	struct adopt_transport *transport = transport_of(recorder);
	int fd;

	ck_assert_int_eq(adopt_transport_detach(&transport, &fd), 0);
	ck_assert_int_ne(no_delay(fd), 0);
	close(fd);
	close(outer);
}
END_TEST

/* --- writing with a bound --- */

/* Writes the pattern until the kernel takes no more and the bound is reached.
 * Returns how much that was. */
static size_t fill(struct adopt_transport *transport)
{
	static unsigned char piece[4096];
	size_t written = 0;

	do {
		int result = 0;

		while (result == 0) {
			pattern_fill(written, piece, sizeof piece);
			result = adopt_transport_write(transport, piece, sizeof piece);
			ck_assert_int_ge(result, 0);
			written += sizeof piece;
			ck_assert_uint_lt(written, 64 << 20);
		}
		ck_assert_uint_lt(adopt_transport_queued(transport),
				  ADOPT_WRITE_BOUND_BYTES + sizeof piece);
		settle();
	} while (adopt_transport_queued(transport) < ADOPT_WRITE_BOUND_BYTES);
	return written;
}

static void assert_room(struct recorder *recorder)
{
	ck_assert_uint_lt(adopt_transport_queued(transport_of(recorder)), ADOPT_WRITE_BOUND_BYTES);
}

START_TEST(writer_is_told_at_the_bound)
{
	struct recorder *recorder = connected(&places[_i]);
	struct adopt_transport *transport = transport_of(recorder);
	size_t written = fill(transport);
	unsigned drained = recorder->drained;
	struct peer peer;

	ck_assert_int_eq(adopt_transport_write(transport, "x", 1), -ENOBUFS);
	factory->hooks.drained = assert_room;
	peer_start(&peer, outer, 0, false);
	RUN_UNTIL(recorder->drained == drained + 1);
	RUN_UNTIL(peer.received == written);
	settle();
	ck_assert(!peer.garbled);
	ck_assert_uint_eq(adopt_transport_queued(transport), 0);
	ck_assert_uint_eq(recorder->drained, drained + 1);
	ck_assert_int_eq(adopt_transport_write(transport, "x", 1), 0);
	peer_stop(&peer);
	close(outer);
}
END_TEST

START_TEST(nobody_is_told_who_was_not_held)
{
	static unsigned char much[MUCH];
	struct recorder *recorder = connected(&places[_i]);
	struct peer peer;

	adopt_transport_set_write_bound(transport_of(recorder), 2 * MUCH);
	pattern_fill(0, much, MUCH);
	ck_assert_int_eq(adopt_transport_write(transport_of(recorder), much, MUCH), 0);
	peer_start(&peer, outer, 0, false);
	RUN_UNTIL(peer.received == MUCH);
	settle();
	ck_assert_uint_eq(recorder->drained, 0);
	peer_stop(&peer);
	close(outer);
}
END_TEST

START_TEST(bound_of_one)
{
	struct recorder *recorder = connected(&places[_i]);
	struct peer peer;

	adopt_transport_set_write_bound(transport_of(recorder), 0);
	write_text(recorder, "");
	queue_much(recorder);
	ck_assert_int_eq(adopt_transport_write(transport_of(recorder), "x", 1), -ENOBUFS);
	peer_start(&peer, outer, 0, false);
	RUN_UNTIL(recorder->drained == 1);
	RUN_UNTIL(peer.received == MUCH);
	peer_stop(&peer);
	close(outer);
}
END_TEST

/* --- large transfers, both ways at once --- */

#define LARGE (8u << 20)

/* Writes the pattern in random pieces, for as long as there is room. */
static uint64_t produced;

static void produce(struct recorder *recorder)
{
	static unsigned char piece[40000];

	while (produced < LARGE) {
		size_t length = 1 + next_random() % sizeof piece;
		int result;

		if (length > LARGE - produced)
			length = LARGE - produced;
		pattern_fill(produced, piece, length);
		result = adopt_transport_write(transport_of(recorder), piece, length);
		ck_assert_int_ge(result, 0);
		produced += length;
		ck_assert_uint_le(adopt_transport_queued(transport_of(recorder)),
				  ADOPT_WRITE_BOUND_BYTES + sizeof piece);
		if (result == 1)
			return;
	}
	adopt_transport_shutdown_write(transport_of(recorder));
}

START_TEST(transfer_is_exact_both_ways)
{
	struct recorder *recorder;
	struct peer peer;

	produced = 0;
	factory->hooks.drained = produce;
	recorder = connected(&places[_i]);
	peer_start(&peer, outer, LARGE, true);
	produce(recorder);
	RUN_UNTIL(recorder->lost == 1 && peer.ended);
	ck_assert_int_eq(recorder->error, 0);
	ck_assert_int_eq(peer.error, 0);
	ck_assert_uint_eq(recorder->received, LARGE);
	ck_assert_uint_eq(peer.received, LARGE);
	ck_assert(!recorder->garbled);
	ck_assert(!peer.garbled);
	peer_stop(&peer);
	close(outer);
}
END_TEST

/* Echoes, and holds its peer as it is held itself. */
static void echo(struct recorder *recorder, const void *data, size_t length)
{
	int result = adopt_transport_write(transport_of(recorder), data, length);

	ck_assert_int_ge(result, 0);
	if (result == 1)
		adopt_transport_pause(transport_of(recorder));
}

static void resume(struct recorder *recorder)
{
	adopt_transport_resume(transport_of(recorder));
}

static void end_as_well(struct recorder *recorder)
{
	adopt_transport_shutdown_write(transport_of(recorder));
}

START_TEST(echo_of_everything)
{
	struct recorder *recorder;
	struct peer peer;

	factory->hooks.data = echo;
	factory->hooks.drained = resume;
	factory->hooks.read_closed = end_as_well;
	recorder = connected(&places[_i]);
	peer_start(&peer, outer, LARGE, true);
	RUN_UNTIL(recorder->lost == 1 && peer.ended);
	ck_assert_int_eq(recorder->error, 0);
	ck_assert_uint_eq(peer.received, LARGE);
	ck_assert(!peer.garbled);
	peer_stop(&peer);
	close(outer);
}
END_TEST

/* A peer that always has more to send leaves the rest of the loop its turn. */
static unsigned feeds;
static bool others_ran;

static void feed_more(struct recorder *recorder, const void *data, size_t length)
{
	static const char more[200000];

	(void)recorder;
	(void)data;
	(void)length;
	ck_assert_uint_lt(++feeds, 10000);
	if (!others_ran)
		send(outer, more, sizeof more, MSG_NOSIGNAL);
}

static void others_run(struct adopt_call *call)
{
	(void)call;
	others_ran = true;
}

START_TEST(one_connection_does_not_starve_the_rest)
{
	struct adopt_call call = {.run = others_run};

	others_ran = false;
	feeds = 0;
	factory->hooks.data = feed_more;
	connected(&places[_i]);
	send_text(outer, "x");
	RUN_UNTIL(feeds > 0);
	adopt_call_soon(loop, &call);
	RUN_UNTIL(others_ran);
	close(outer);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("transport");
	TCase *tests = harness_case("transport");

	tcase_add_checked_fixture(tests, factory_set_up, factory_tear_down);
	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, row_19_paused_reads_nothing, 0, PLACES);
	tcase_add_loop_test(tests, row_19_paused_misses_the_end, 0, PLACES);
	tcase_add_loop_test(tests, row_19_pause_when_made, 0, PLACES);
	tcase_add_loop_test(tests, row_19_pause_takes_effect_at_once, 0, PLACES);
	tcase_add_loop_test(tests, row_19_pause_and_resume_inside, 0, PLACES);
	tcase_add_loop_test(tests, row_19_paused_still_writes, 0, PLACES);
	tcase_add_loop_test(tests, row_21_peer_ends_its_half, 0, PLACES);
	tcase_add_loop_test(tests, row_21_own_half_ends, 0, PLACES);
	tcase_add_loop_test(tests, row_21_own_half_ends_after_the_queue, 0, STREAM_PLACES);
	tcase_add_loop_test(tests, reset_is_no_end, 0, 2);
	tcase_add_loop_test(tests, small_writes_are_not_held_back, 0, 2);
	tcase_add_loop_test(tests, detached_is_undelayed, 0, 2);
	tcase_add_loop_test(tests, row_21_nobody_asks_for_the_half, 0, STREAM_PLACES);
	tcase_add_loop_test(tests, writer_is_told_at_the_bound, 0, PLACES);
	tcase_add_loop_test(tests, nobody_is_told_who_was_not_held, 0, STREAM_PLACES);
	tcase_add_loop_test(tests, bound_of_one, 0, STREAM_PLACES);
	tcase_add_loop_test(tests, transfer_is_exact_both_ways, 0, STREAM_PLACES);
	tcase_add_loop_test(tests, echo_of_everything, 0, STREAM_PLACES);
	tcase_add_loop_test(tests, one_connection_does_not_starve_the_rest, 0, STREAM_PLACES);
	return harness_main(suite);
}
