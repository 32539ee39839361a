/* The small services on streams, on the memory reactor. */
#include "handler_fixture.h"

#include "handlers/clock.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHARGEN_LINE 74

static struct handler_fixture fixture;
static char block[ADOPT_WRITE_BOUND_BYTES];

static void setup(void)
{
	fixture_init(&fixture);
	for (size_t i = 0; i < sizeof block; i++)
		block[i] = (char)(i * 7 + i / 256);
}

static void teardown(void)
{
	fixture_done(&fixture);
}

static struct adopt_transport *client(const char *handler, const char *options)
{
	return fixture_connect(&fixture, handler, options);
}

static size_t written(struct adopt_transport *transport)
{
	const void *data;

	return adopt_memory_written(transport, &data);
}

static void ck_written(struct adopt_transport *transport, const void *expected, size_t length)
{
	const void *data;

	ck_assert_uint_eq(adopt_memory_written(transport, &data), length);
	ck_assert(length == 0 || memcmp(data, expected, length) == 0);
}

/* The peer takes all that was written, and then the connection must be over. */
static void ck_closes(struct adopt_transport *transport)
{
	ck_assert(adopt_memory_write_shut(transport));
	adopt_memory_take(transport, written(transport));
	ck_assert(fixture_all_lost(&fixture));
}

START_TEST(echo_sends_back)
{
	struct adopt_transport *transport = client("echo", "");

	ck_assert_int_eq(adopt_memory_deliver(transport, "a\0b", 3), 0);
	ck_assert_int_eq(adopt_memory_deliver(transport, "c", 1), 0);
	ck_written(transport, "a\0bc", 4);
}
END_TEST

START_TEST(echo_reads_no_more_than_is_taken)
{
	struct adopt_transport *transport = client("echo", "");

	ck_assert_int_eq(adopt_memory_deliver(transport, block, sizeof block - 1), 0);
	ck_assert(!adopt_memory_paused(transport));
	ck_assert_int_eq(adopt_memory_deliver(transport, "x", 1), 0);
	ck_assert(adopt_memory_paused(transport));
	adopt_memory_take(transport, sizeof block / 2);
	ck_assert(!adopt_memory_paused(transport));
	ck_assert_int_eq(adopt_memory_deliver(transport, "y", 1), 0);
	ck_assert_uint_eq(written(transport), sizeof block / 2 + 1);
}
END_TEST

START_TEST(echo_finishes_after_the_end_of_file)
{
	struct adopt_transport *transport = client("echo", "");

	ck_assert_int_eq(adopt_memory_deliver(transport, block, 1000), 0);
	ck_assert_int_eq(adopt_memory_deliver_eof(transport), 0);
	ck_assert(!fixture_all_lost(&fixture));
	ck_written(transport, block, 1000);
	ck_closes(transport);
}
END_TEST

START_TEST(discard_drops_until_the_end_of_file)
{
	struct adopt_transport *transport = client("discard", "");

	for (unsigned i = 0; i < 100; i++)
		ck_assert_int_eq(adopt_memory_deliver(transport, block, sizeof block), 0);
	ck_assert_uint_eq(written(transport), 0);
	ck_assert_int_eq(adopt_memory_deliver_eof(transport), 0);
	ck_assert(fixture_all_lost(&fixture));
}
END_TEST

START_TEST(chargen_writes_the_pattern)
{
	struct adopt_transport *transport = client("chargen", "");
	unsigned line = 0;

	for (unsigned round = 0; round < 5; round++) {
		const char *text;
		const void *data;
		size_t length;

		adopt_memory_advance(fixture.reactor, 0);
		length = adopt_memory_written(transport, &data);
		text = data;
		ck_assert_uint_ge(length, ADOPT_WRITE_BOUND_BYTES);
		ck_assert_uint_eq(length % CHARGEN_LINE, 0);
		for (size_t at = 0; at < length; at += CHARGEN_LINE, line++) {
			char expected[CHARGEN_LINE + 1];

			for (unsigned i = 0; i < 72; i++)
				expected[i] = (char)(' ' + (line + i) % 95);
			strcpy(expected + 72, "\r\n");
			ck_assert(memcmp(text + at, expected, CHARGEN_LINE) == 0);
		}
		adopt_memory_take(transport, length);
	}
}
END_TEST

START_TEST(chargen_yields_and_stops_at_the_bound)
{
	struct adopt_transport *transport = client("chargen", "");
	size_t full;

	ck_assert_uint_gt(written(transport), 0);
	ck_assert_uint_lt(written(transport), 8192);
	adopt_memory_advance(fixture.reactor, 0);
	full = written(transport);
	ck_assert_uint_ge(full, ADOPT_WRITE_BOUND_BYTES);
	ck_assert_uint_lt(full, ADOPT_WRITE_BOUND_BYTES + CHARGEN_LINE);
	adopt_memory_advance(fixture.reactor, 60000);
	ck_assert_uint_eq(written(transport), full);
	adopt_memory_take(transport, 100);
	adopt_memory_advance(fixture.reactor, 0);
	ck_assert_uint_eq(written(transport), full - 100);
	adopt_memory_take(transport, full);
	adopt_memory_advance(fixture.reactor, 0);
	ck_assert_uint_ge(written(transport), ADOPT_WRITE_BOUND_BYTES);
}
END_TEST

START_TEST(chargen_ignores_what_comes)
{
	struct adopt_transport *transport = client("chargen", "");
	size_t full;

	adopt_memory_advance(fixture.reactor, 0);
	full = written(transport);
	for (unsigned i = 0; i < 100; i++)
		ck_assert_int_eq(adopt_memory_deliver(transport, block, sizeof block), 0);
	ck_assert_int_eq(adopt_memory_deliver_eof(transport), 0);
	ck_assert(!fixture_all_lost(&fixture));
	ck_assert_uint_eq(written(transport), full);
	adopt_memory_take(transport, full);
	ck_assert_uint_gt(written(transport), 0);
	ck_assert(!adopt_memory_write_shut(transport));
}
END_TEST

START_TEST(chargen_ends_between_two_turns)
{
	/* Its next turn is still asked for. */
	adopt_memory_lose(client("chargen", ""), -ECONNRESET);
	ck_assert(fixture_all_lost(&fixture));
}
END_TEST

START_TEST(daytime_says_the_time_and_closes)
{
	char early[64], late[64];
	struct adopt_transport *transport;
	const void *data;
	size_t length;

	daytime_format(time(NULL), early, sizeof early);
	transport = client("daytime", "");
	daytime_format(time(NULL), late, sizeof late);
	length = adopt_memory_written(transport, &data);
	ck_assert_uint_gt(length, 30);
	ck_assert((length == strlen(early) && memcmp(data, early, length) == 0) ||
		  (length == strlen(late) && memcmp(data, late, length) == 0));
	ck_closes(transport);
}
END_TEST

START_TEST(daytime_is_english_and_utc)
{
	char text[64];

	ck_assert_int_eq(setenv("TZ", "Asia/Tokyo", 1), 0);
	tzset();
	ck_assert_uint_eq(daytime_format(1795387263, text, sizeof text), strlen(text));
	ck_assert_str_eq(text, "Sunday, November 22, 2026 22:41:03-UTC\r\n");
	ck_assert_uint_eq(daytime_format(0, text, sizeof text), strlen(text));
	ck_assert_str_eq(text, "Thursday, January 1, 1970 00:00:00-UTC\r\n");
	ck_assert_uint_eq(daytime_format(0, text, 10), 0);
}
END_TEST

START_TEST(time_counts_from_1900_modulo_2_to_the_32)
{
	/* The examples of RFC 868, and the wrap of 2036. */
	ck_assert_uint_eq(time_since_1900(0), 2208988800u);
	ck_assert_uint_eq(time_since_1900(189302400), 2398291200u);
	ck_assert_uint_eq(time_since_1900(315532800), 2524521600u);
	ck_assert_uint_eq(time_since_1900(420595200), 2629584000u);
	ck_assert_int_eq((int32_t)time_since_1900(-3506716800), -1297728000);
	ck_assert_uint_eq(time_since_1900(2085978495), UINT32_MAX);
	ck_assert_uint_eq(time_since_1900(2085978496), 0);
	ck_assert_uint_eq(time_since_1900(2085978497), 1);
}
END_TEST

START_TEST(time_says_four_bytes_and_closes)
{
	uint32_t earliest = time_since_1900(time(NULL)), seconds;
	struct adopt_transport *transport = client("time", "");
	const void *data;

	ck_assert_uint_eq(adopt_memory_written(transport, &data), 4);
	memcpy(&seconds, data, 4);
	ck_assert_uint_le(ntohl(seconds) - earliest, time_since_1900(time(NULL)) - earliest);
	ck_closes(transport);
}
END_TEST

START_TEST(reject_says_its_message_and_closes)
{
	struct adopt_transport *transport = client("reject", "message = \"554 no\\r\\n\"");

	ck_written(transport, "554 no\r\n", 8);
	ck_closes(transport);
}
END_TEST

START_TEST(reject_without_a_message_closes)
{
	client("reject", "");
	ck_assert(fixture_all_lost(&fixture));
}
END_TEST

START_TEST(reject_message_is_at_most_512_bytes)
{
	char options[600];

	strcpy(options, "message = \"");
	memset(options + 11, 'x', 513);
	strcpy(options + 11 + 513, "\"");
	ck_assert_int_eq(fixture_read(&fixture, "reject", options), -EINVAL);
	ck_assert_uint_eq(faults_count(fixture.faults, FAULT_ERROR), 1);
	strcpy(options + 11 + 512, "\"");
	ck_assert_uint_eq(written(client("reject", options)), 512);
}
END_TEST

/* Fills the connection before its protocol hears of it, so that its first write fails. */
static void fill(struct adopt_observer *observer, struct adopt_transport *transport)
{
	(void)observer;
	adopt_transport_set_write_bound(transport, 1);
	ck_assert_int_eq(adopt_transport_write(transport, "x", 1), 1);
}

static int ended_with;

static void ended(struct adopt_observer *observer, int error)
{
	(void)observer;
	ended_with = error;
}

static const char *const writers[] = {"echo", "chargen", "daytime", "time", "qotd"};

START_TEST(failed_write_aborts)
{
	static const struct adopt_observer_ops ops = {.connection_begins = fill,
						      .connection_ended = ended};
	struct adopt_observer observer = {.ops = &ops};
	struct adopt_transport *transport;

	adopt_reactor_observe(fixture.reactor, &observer);
	transport = client(writers[_i], "");
	if (strcmp(writers[_i], "echo") == 0)
		ck_assert_int_eq(adopt_memory_deliver(transport, "y", 1), 0);
	ck_assert(fixture_all_lost(&fixture));
	ck_assert_int_eq(ended_with, -ECONNABORTED);
	adopt_reactor_observe(fixture.reactor, NULL);
}
END_TEST

START_TEST(unknown_handlers_are_not_found)
{
	ck_assert_ptr_null(handler_find("ech"));
	for (size_t i = 0; handler_table[i]; i++)
		ck_assert_ptr_eq(handler_find(handler_table[i]->name), handler_table[i]);
	for (size_t i = 0; handler_unsupported[i]; i++)
		ck_assert_ptr_null(handler_find(handler_unsupported[i]));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handlers_stream");
	TCase *tests = tcase_create("services");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, echo_sends_back);
	tcase_add_test(tests, echo_reads_no_more_than_is_taken);
	tcase_add_test(tests, echo_finishes_after_the_end_of_file);
	tcase_add_test(tests, discard_drops_until_the_end_of_file);
	tcase_add_test(tests, chargen_writes_the_pattern);
	tcase_add_test(tests, chargen_yields_and_stops_at_the_bound);
	tcase_add_test(tests, chargen_ignores_what_comes);
	tcase_add_test(tests, chargen_ends_between_two_turns);
	tcase_add_test(tests, daytime_says_the_time_and_closes);
	tcase_add_test(tests, daytime_is_english_and_utc);
	tcase_add_test(tests, time_counts_from_1900_modulo_2_to_the_32);
	tcase_add_test(tests, time_says_four_bytes_and_closes);
	tcase_add_test(tests, reject_says_its_message_and_closes);
	tcase_add_test(tests, reject_without_a_message_closes);
	tcase_add_test(tests, reject_message_is_at_most_512_bytes);
	tcase_add_loop_test(tests, failed_write_aborts, 0, sizeof writers / sizeof writers[0]);
	tcase_add_test(tests, unknown_handlers_are_not_found);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
