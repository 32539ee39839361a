/* Seqpacket connections keep their records, as adopt.h promises for each call. */
#include "recorder.h"

#include <errno.h>
#include <stdlib.h>
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

/* The places from 0 on: path, abstract, and a pair without names. */
#define RECORD_PLACES 3

static struct recorder *connected(int place)
{
	struct recorder *recorder;

	if (place == 2)
		unix_pair(SOCK_SEQPACKET, pair);
	else
		place_pair(&places[STREAM_PLACES + place], pair);
	recorder = adopt_recorded(factory, pair[1]);
	close(pair[1]);
	return recorder;
}

static void send_record(size_t length)
{
	static unsigned char record[1 << 20];

	pattern_fill(0, record, length);
	ck_assert_int_eq(send(pair[0], record, length, MSG_NOSIGNAL), (ssize_t)length);
}

START_TEST(records_come_one_by_one)
{
	struct recorder *recorder = connected(_i);

	for (size_t length = 1; length <= 20; length++)
		send_record(length);
	RUN_UNTIL(recorder->calls == 20);
	for (size_t i = 0; i < 20; i++)
		ck_assert_uint_eq(recorder->lengths[i], i + 1);
	close(pair[0]);
}
END_TEST

START_TEST(empty_records_come_too)
{
	struct recorder *recorder = connected(_i);

	send_record(0);
	RUN_UNTIL(recorder->calls == 1);
	send_record(0);
	send_record(3);
	send_record(0);
	send_record(0);
	RUN_UNTIL(recorder->calls == 5);
	ck_assert_uint_eq(recorder->lengths[0], 0);
	ck_assert_uint_eq(recorder->lengths[1], 0);
	ck_assert_uint_eq(recorder->lengths[2], 3);
	ck_assert_uint_eq(recorder->lengths[4], 0);
	ck_assert_uint_eq(recorder->read_closed, 0);
	close(pair[0]);
	RUN_UNTIL(recorder->read_closed == 1);
	ck_assert_uint_eq(recorder->calls, 5);
}
END_TEST

/* Empty records in front of one with bytes, all of it before the end is seen. */
START_TEST(empty_record_before_the_end)
{
	struct recorder *recorder = connected(_i);

	adopt_transport_pause(transport_of(recorder));
	send_record(0);
	send_record(0);
	send_record(7);
	shutdown(pair[0], SHUT_WR);
	settle();
	adopt_transport_resume(transport_of(recorder));
	RUN_UNTIL(recorder->read_closed == 1);
	ck_assert_uint_eq(recorder->calls, 3);
	ck_assert_uint_eq(recorder->lengths[2], 7);
	close(pair[0]);
}
END_TEST

START_TEST(record_near_the_limit_comes_whole)
{
	struct recorder *recorder;
	int bytes = 400000;

	recorder = connected(_i);
	/* Who may not take so much gets twice what everybody may. */
	if (setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) < 0)
		ck_assert_int_eq(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes),
				 0);
	send_record(300000);
	RUN_UNTIL(recorder->calls == 1);
	ck_assert_uint_eq(recorder->lengths[0], 300000);
	ck_assert(!recorder->garbled);
	close(pair[0]);
}
END_TEST

static void assert_next_record(size_t length)
{
	static unsigned char record[1 << 20];

	ck_assert_int_eq(recv(pair[0], record, sizeof record, 0), (ssize_t)length);
	ck_assert(pattern_holds(0, record, length));
}

static int write_record(struct recorder *recorder, size_t length)
{
	static unsigned char record[1 << 20];

	pattern_fill(0, record, length);
	return adopt_transport_write(transport_of(recorder), record, length);
}

START_TEST(each_write_is_a_record)
{
	struct recorder *recorder = connected(_i);

	ck_assert_int_eq(write_record(recorder, 5), 0);
	ck_assert_int_eq(write_record(recorder, 0), 0);
	ck_assert_int_eq(write_record(recorder, 9), 0);
	assert_next_record(5);
	assert_next_record(0);
	assert_next_record(9);
	close(pair[0]);
}
END_TEST

/* Queued records stay apart as well, the empty ones among them. */
START_TEST(queued_records_stay_apart)
{
	struct recorder *recorder = connected(_i);
	unsigned written = 0, read = 0;

	while (write_record(recorder, written % 3 * 1000) == 0)
		ck_assert_uint_lt(++written, 100000);
	written++;
	ck_assert_int_eq(write_record(recorder, 1), -ENOBUFS);
	adopt_transport_close(transport_of(recorder));
	while (read < written) {
		RUN_UNTIL(readable(pair[0]));
		assert_next_record(read++ % 3 * 1000);
	}
	RUN_UNTIL(readable(pair[0]));
	ck_assert_int_eq(end_of(pair[0]), 0);
	close(pair[0]);
	RUN_UNTIL(recorder->lost == 1);
	ck_assert_int_eq(recorder->error, 0);
}
END_TEST

/* Records of nothing take room as well. */
START_TEST(empty_records_reach_the_bound)
{
	struct recorder *recorder = connected(_i);
	unsigned written = 0, read = 0;
	int result = 0;

	while (result == 0) {
		result = write_record(recorder, 0);
		ck_assert_int_ge(result, 0);
		ck_assert_uint_lt(++written, 100000);
	}
	while (read < written) {
		RUN_UNTIL(readable(pair[0]));
		assert_next_record(0);
		read++;
	}
	RUN_UNTIL(recorder->drained == 1);
	ck_assert_uint_eq(adopt_transport_queued(transport_of(recorder)), 0);
	close(pair[0]);
}
END_TEST

START_TEST(record_that_cannot_be_carried)
{
	struct recorder *recorder = connected(_i);

	ck_assert_int_eq(write_record(recorder, 1 << 20), -EMSGSIZE);
	ck_assert_int_eq(write_record(recorder, 5), 0);
	assert_next_record(5);
	close(pair[0]);
}
END_TEST

/* With others queued before it, it must not wait to be found out later. */
START_TEST(record_that_cannot_be_carried_behind_others)
{
	struct recorder *recorder = connected(_i);
	unsigned written = 0, read = 0;

	adopt_transport_set_write_bound(transport_of(recorder), 4 << 20);
	while (adopt_transport_queued(transport_of(recorder)) == 0) {
		ck_assert_int_eq(write_record(recorder, 1000), 0);
		written++;
	}
	ck_assert_int_eq(write_record(recorder, 1 << 20), -EMSGSIZE);
	ck_assert_int_eq(write_record(recorder, 1000), 0);
	written++;
	while (read < written) {
		RUN_UNTIL(readable(pair[0]));
		assert_next_record(1000);
		read++;
	}
	ck_assert_uint_eq(recorder->lost, 0);
	close(pair[0]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("records");
	TCase *tests = harness_case("records");

	tcase_add_checked_fixture(tests, factory_set_up, factory_tear_down);
	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, records_come_one_by_one, 0, RECORD_PLACES);
	tcase_add_loop_test(tests, empty_records_come_too, 0, RECORD_PLACES);
	tcase_add_loop_test(tests, empty_record_before_the_end, 0, RECORD_PLACES);
	tcase_add_loop_test(tests, record_near_the_limit_comes_whole, 0, RECORD_PLACES);
	tcase_add_loop_test(tests, each_write_is_a_record, 0, RECORD_PLACES);
	tcase_add_loop_test(tests, queued_records_stay_apart, 0, RECORD_PLACES);
	tcase_add_loop_test(tests, empty_records_reach_the_bound, 0, RECORD_PLACES);
	tcase_add_loop_test(tests, record_that_cannot_be_carried, 0, RECORD_PLACES);
	tcase_add_loop_test(tests, record_that_cannot_be_carried_behind_others, 0, RECORD_PLACES);
	return harness_main(suite);
}
