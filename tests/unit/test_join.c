/* Two connections made one pipe. */
#include "recorder.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static struct recorder_factory *factory;
static struct recorder *left, *right;
static int near, far; /* the outer ends: near talks to left, far to right */

static uint64_t half_close_timeout_ms;
static struct adopt_join_result result;
static unsigned finishes;

static void finished(void *context, const struct adopt_join_result *told)
{
	ck_assert_ptr_eq(context, &result);
	result = *told;
	finishes++;
}

/* What is joined: each line one pair of ends. */
static const struct {
	const struct place *near;
	const struct place *far;
} joints[] = {
	{&places[0], &places[0]}, /* TCP to TCP */
	{&places[1], &places[2]}, /* TCP over IPv6 to UNIX */
	{&places[2], &places[0]}, /* UNIX to TCP */
	{&places[2], &places[3]}, /* UNIX to UNIX */
};
#define JOINTS 4

static void connect_both(int joint)
{
	left = recorder_connected(factory, joints[joint].near, &near);
	right = recorder_connected(factory, joints[joint].far, &far);
}

static void join_both(void)
{
	ck_assert_int_eq(adopt_join(transport_of(left), transport_of(right), half_close_timeout_ms,
				    finished, &result),
			 0);
	ck_assert_ptr_null(left->protocol.transport);
	ck_assert_ptr_null(right->protocol.transport);
}

static void set_up(void)
{
	factory = recorder_factory_new();
	finishes = 0;
	half_close_timeout_ms = 0;
}

static void tear_down(void)
{
	free_loop();
	/* The old protocols hear nothing any more. */
	for (unsigned i = 0; i < factory->count; i++)
		ck_assert_uint_eq(factory->built[i]->lost, 0);
	recorder_factory_free(factory);
}

/* Both outer ends are closed, and the join ends in order. */
static void assert_finished(uint64_t from_near, uint64_t from_far)
{
	RUN_UNTIL(finishes == 1);
	settle();
	ck_assert_uint_eq(finishes, 1);
	ck_assert_int_eq(result.error, 0);
	ck_assert_uint_eq(result.bytes_from[0], from_near);
	ck_assert_uint_eq(result.bytes_from[1], from_far);
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 0);
	close(near);
	close(far);
}

START_TEST(bytes_cross_both_ways)
{
	connect_both(_i);
	join_both();
	send_text(near, "question");
	RUN_UNTIL(readable(far));
	assert_reads(far, "question");
	send_text(far, "the answer");
	RUN_UNTIL(readable(near));
	assert_reads(near, "the answer");
	ck_assert_uint_eq(finishes, 0);
	shutdown(near, SHUT_WR);
	shutdown(far, SHUT_WR);
	assert_finished(8, 10);
}
END_TEST

START_TEST(waiting_bytes_cross_too)
{
	connect_both(_i);
	adopt_transport_pause(transport_of(left));
	adopt_transport_pause(transport_of(right));
	send_text(near, "before the join");
	settle();
	join_both();
	RUN_UNTIL(readable(far));
	assert_reads(far, "before the join");
	shutdown(near, SHUT_WR);
	shutdown(far, SHUT_WR);
	assert_finished(15, 0);
}
END_TEST

#define LARGE (6u << 20)

START_TEST(large_transfer_both_ways)
{
	struct peer one, two;

	connect_both(_i);
	join_both();
	peer_start(&one, near, LARGE, true);
	peer_start(&two, far, LARGE / 2, true);
	RUN_UNTIL(one.ended && two.ended);
	ck_assert_int_eq(one.error, 0);
	ck_assert_int_eq(two.error, 0);
	ck_assert_uint_eq(two.received, LARGE);
	ck_assert_uint_eq(one.received, LARGE / 2);
	ck_assert(!one.garbled);
	ck_assert(!two.garbled);
	peer_stop(&one);
	peer_stop(&two);
	assert_finished(LARGE, LARGE / 2);
}
END_TEST

START_TEST(half_close_is_passed_on)
{
	bool backwards = _i >= JOINTS;
	int first, second;

	connect_both(_i % JOINTS);
	join_both();
	first = backwards ? far : near;
	second = backwards ? near : far;
	send_text(first, "all I say");
	shutdown(first, SHUT_WR);
	RUN_UNTIL(readable(second));
	assert_reads(second, "all I say");
	RUN_UNTIL(readable(second));
	ck_assert_int_eq(end_of(second), 0);
	ck_assert_uint_eq(finishes, 0);
	send_text(second, "late answer");
	RUN_UNTIL(readable(first));
	assert_reads(first, "late answer");
	shutdown(second, SHUT_WR);
	RUN_UNTIL(readable(first));
	ck_assert_int_eq(end_of(first), 0);
	assert_finished(backwards ? 11 : 9, backwards ? 9 : 11);
}
END_TEST

START_TEST(reset_is_passed_on)
{
	int other;

	connect_both(0);
	join_both();
	other = _i ? near : far;
	close_with_reset(_i ? far : near);
	RUN_UNTIL(readable(other));
	ck_assert_int_eq(end_of(other), -ECONNRESET);
	RUN_UNTIL(finishes == 1);
	ck_assert_int_eq(result.error, -ECONNRESET);
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 0);
	close(other);
}
END_TEST

/* Who only says goodbye and goes away: its last words arrive. */
START_TEST(last_words_are_passed_on)
{
	struct peer peer;

	connect_both(_i);
	join_both();
	send_text(near, "goodbye");
	close(near);
	peer_start(&peer, far, 0, false);
	RUN_UNTIL(peer.ended);
	ck_assert_uint_eq(peer.received, 7);
	ck_assert_int_eq(peer.error, 0);
	close(far);
	peer_stop(&peer);
	RUN_UNTIL(finishes == 1);
}
END_TEST

/* One end has ended, and the other says nothing any more; a shorter idle timeout stays. */
START_TEST(half_close_is_limited)
{
	static const struct {
		uint64_t idle_ms, half_close_ms;
	} timeouts[] = {{0, 30}, {60000, 30}, {30, 60000}};
	char byte;

	connect_both(0);
	half_close_timeout_ms = timeouts[_i].half_close_ms;
	ck_assert_int_eq(
		adopt_transport_set_idle_timeout(transport_of(right), timeouts[_i].idle_ms), 0);
	join_both();
	send_text(near, "question");
	shutdown(near, SHUT_WR);
	RUN_UNTIL(finishes == 1);
	ck_assert_int_eq(result.error, -ETIMEDOUT);
	ck_assert_uint_eq(result.bytes_from[0], 8);
	ck_assert_int_lt(recv(near, &byte, 1, MSG_DONTWAIT), 0);
	ck_assert_int_eq(errno, ECONNRESET);
	close(near);
	close(far);
}
END_TEST

/* Who does not read holds the other back; what waits between is bounded. */
START_TEST(slow_side_holds_the_other)
{
	struct peer sender, reader;
	struct adopt_transport *between;
	uint64_t held;

	connect_both(_i);
	between = transport_of(right);
	join_both();
	peer_start(&sender, near, 64u << 20, true);
	do {
		held = sender.sent;
		settle();
		settle();
	} while (sender.sent > held);
	ck_assert_uint_lt(held, 4u << 20);
	ck_assert_uint_le(adopt_transport_queued(between), ADOPT_WRITE_BOUND_BYTES + 65536);
	peer_start(&reader, far, 0, false);
	RUN_UNTIL(reader.received > held);
	ck_assert(!reader.garbled);
	peer_stop(&sender);
	peer_stop(&reader);
	close(near);
	close(far);
	RUN_UNTIL(finishes == 1);
}
END_TEST

/* Before anything is read: the old protocol had lowered the bound below what it
 * had queued. */
START_TEST(bound_lowered_before)
{
	static unsigned char much[2000000];
	struct peer reader;

	connect_both(_i);
	adopt_transport_set_write_bound(transport_of(right), 2 * sizeof much);
	pattern_fill(0, much, sizeof much);
	ck_assert_int_eq(adopt_transport_write(transport_of(right), much, sizeof much), 0);
	adopt_transport_set_write_bound(transport_of(right), 1000);
	join_both();
	send_text(near, "x");
	shutdown(near, SHUT_WR);
	peer_start(&reader, far, 0, true);
	RUN_UNTIL(reader.ended);
	ck_assert_uint_eq(reader.received, sizeof much + 1);
	peer_stop(&reader);
	assert_finished(1, 0);
}
END_TEST

/* What the old protocol had queued, past the bound even, goes out first. */
START_TEST(queue_of_before_goes_first)
{
	struct peer reader;

	connect_both(_i);
	queue_much(right);
	join_both();
	send_text(near, "behind the queue");
	settle();
	ck_assert_uint_eq(finishes, 0);
	peer_start(&reader, far, 0, false);
	RUN_UNTIL(reader.received == MUCH + 16);
	shutdown(near, SHUT_WR);
	shutdown(far, SHUT_WR);
	RUN_UNTIL(reader.ended);
	ck_assert_int_eq(reader.error, 0);
	peer_stop(&reader);
	RUN_UNTIL(finishes == 1);
	ck_assert_int_eq(result.error, 0);
	close(near);
	close(far);
}
END_TEST

START_TEST(records_stay_records)
{
	left = recorder_connected(factory, &places[4], &near);
	right = recorder_connected(factory, &places[5], &far);
	join_both();
	send_text(near, "one");
	send_text(near, "three");
	settle();
	assert_reads(far, "one");
	assert_reads(far, "three");
	shutdown(near, SHUT_WR);
	shutdown(far, SHUT_WR);
	RUN_UNTIL(finishes == 1);
	ck_assert_uint_eq(result.bytes_from[0], 8);
	close(near);
	close(far);
}
END_TEST

static void join_when_data_comes(struct recorder *recorder, const void *data, size_t length)
{
	(void)recorder;
	(void)data;
	(void)length;
	join_both();
}

START_TEST(join_inside_data_received)
{
	connect_both(_i);
	factory->hooks.data = join_when_data_comes;
	send_text(near, "x");
	RUN_UNTIL(left->calls == 1);
	send_text(near, "joined");
	RUN_UNTIL(readable(far));
	assert_reads(far, "joined");
	shutdown(near, SHUT_WR);
	shutdown(far, SHUT_WR);
	assert_finished(6, 0);
}
END_TEST

START_TEST(join_ends_with_the_reactor)
{
	connect_both(_i);
	join_both();
	send_text(near, "on the way");
	settle();
	free_loop();
	ck_assert_uint_eq(finishes, 1);
	ck_assert_int_eq(result.error, -ECANCELED);
	close(near);
	close(far);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("join");
	TCase *tests = harness_case("join");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, bytes_cross_both_ways, 0, JOINTS);
	tcase_add_loop_test(tests, waiting_bytes_cross_too, 0, JOINTS);
	tcase_add_loop_test(tests, large_transfer_both_ways, 0, JOINTS);
	tcase_add_loop_test(tests, half_close_is_passed_on, 0, 2 * JOINTS);
	tcase_add_loop_test(tests, half_close_is_limited, 0, 3);
	tcase_add_loop_test(tests, reset_is_passed_on, 0, 2);
	tcase_add_loop_test(tests, last_words_are_passed_on, 0, JOINTS);
	tcase_add_loop_test(tests, slow_side_holds_the_other, 0, JOINTS);
	tcase_add_loop_test(tests, queue_of_before_goes_first, 0, JOINTS);
	tcase_add_loop_test(tests, bound_lowered_before, 0, JOINTS);
	tcase_add_test(tests, records_stay_records);
	tcase_add_loop_test(tests, join_inside_data_received, 0, JOINTS);
	tcase_add_loop_test(tests, join_ends_with_the_reactor, 0, JOINTS);
	return harness_main(suite);
}
