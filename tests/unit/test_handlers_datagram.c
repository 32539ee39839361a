/* The small services on datagram ports, on the memory reactor. */
#include "handler_fixture.h"

#include "handlers/clock.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct handler_fixture fixture;

static void setup(void)
{
	fixture_init(&fixture);
}

static void teardown(void)
{
	fixture_done(&fixture);
}

static void open_udp(const char *handler, const char *options)
{
	fixture_open(&fixture, handler, options, AF_INET, 0);
}

static size_t sent(const struct adopt_memory_sent **ret)
{
	return adopt_memory_sent(fixture.port, ret);
}

/* Sends a request of `length` bytes. Returns the reply, or NULL. */
static const struct adopt_memory_sent *ask(const char *from, size_t length)
{
	static const char padding[8192];
	const struct adopt_memory_sent *all;
	struct adopt_address peer;
	size_t before = sent(&all), after;

	ck_assert_int_eq(adopt_address_parse(from, &peer), 0);
	ck_assert_int_eq(adopt_memory_datagram(fixture.port, &peer, padding, length), 0);
	after = sent(&all);
	if (after == before)
		return NULL;
	ck_assert_uint_eq(after, before + 1);
	ck_assert(adopt_address_equal(&all[before].to, &peer));
	return &all[before];
}

START_TEST(echo_answers_with_the_same)
{
	const struct adopt_memory_sent *all;
	struct adopt_address peer;

	open_udp("echo", "");
	ck_assert_int_eq(adopt_address_parse("192.0.2.2:1024", &peer), 0);
	ck_assert_int_eq(adopt_memory_datagram(fixture.port, &peer, "a\0b", 3), 0);
	ck_assert_int_eq(adopt_memory_datagram(fixture.port, &peer, "", 0), 0);
	ck_assert_uint_eq(sent(&all), 2);
	ck_assert_uint_eq(all[0].length, 3);
	ck_assert(memcmp(all[0].data, "a\0b", 3) == 0);
	ck_assert_uint_eq(all[1].length, 0);
	ck_assert(adopt_address_equal(&all[0].to, &peer));
}
END_TEST

START_TEST(discard_never_answers)
{
	open_udp("discard", "");
	ck_assert_ptr_null(ask("192.0.2.2:1024", 0));
	ck_assert_ptr_null(ask("192.0.2.2:1024", 512));
}
END_TEST

START_TEST(chargen_is_cut_to_the_request)
{
	const struct adopt_memory_sent *reply;

	open_udp("chargen", "");
	reply = ask("192.0.2.2:1024", 5);
	ck_assert_uint_eq(reply->length, 5);
	ck_assert(memcmp(reply->data, " !\"#$", 5) == 0);
	reply = ask("192.0.2.2:1024", 8192);
	ck_assert_uint_eq(reply->length, 512);
	ck_assert(memcmp((const char *)reply->data + 72, "\r\n!\"#", 5) == 0);
}
END_TEST

START_TEST(daytime_is_whole_or_not_at_all)
{
	char early[64], late[64];
	const struct adopt_memory_sent *reply;
	size_t length;

	open_udp("daytime", "");
	ck_assert_ptr_null(ask("192.0.2.2:1024", 0));
	ck_assert_ptr_null(ask("192.0.2.2:1024", 20));
	daytime_format(time(NULL), early, sizeof early);
	reply = ask("192.0.2.2:1024", 64);
	length = daytime_format(time(NULL), late, sizeof late);
	ck_assert_ptr_nonnull(reply);
	ck_assert_uint_le(reply->length, 64);
	ck_assert(memcmp(reply->data, early, reply->length) == 0 ||
		  (reply->length == length && memcmp(reply->data, late, length) == 0));
}
END_TEST

START_TEST(time_is_whole_or_not_at_all)
{
	const struct adopt_memory_sent *reply;
	uint32_t earliest = time_since_1900(time(NULL)), seconds;

	open_udp("time", "");
	ck_assert_ptr_null(ask("192.0.2.2:1024", 0));
	ck_assert_ptr_null(ask("192.0.2.2:1024", 3));
	reply = ask("192.0.2.2:1024", 4);
	ck_assert_ptr_nonnull(reply);
	ck_assert_uint_eq(reply->length, 4);
	memcpy(&seconds, reply->data, 4);
	ck_assert_uint_le(ntohl(seconds) - earliest, time_since_1900(time(NULL)) - earliest);
}
END_TEST

START_TEST(qotd_is_cut_to_the_request)
{
	const struct adopt_memory_sent *reply;

	open_udp("qotd", "");
	ck_assert_uint_eq(ask("192.0.2.2:1024", 9)->length, 9);
	reply = ask("192.0.2.2:1024", 512);
	ck_assert_uint_gt(reply->length, 9);
	ck_assert(memcmp((const char *)reply->data + reply->length - 2, "\r\n", 2) == 0);
}
END_TEST

START_TEST(reject_is_silent_without_a_message)
{
	open_udp("reject", "");
	ck_assert_ptr_null(ask("192.0.2.2:1024", 512));
}
END_TEST

START_TEST(reject_message_is_whole_or_not_at_all)
{
	const struct adopt_memory_sent *reply;

	open_udp("reject", "message = \"go away\"");
	ck_assert_ptr_null(ask("192.0.2.2:1024", 6));
	reply = ask("192.0.2.2:1024", 7);
	ck_assert_ptr_nonnull(reply);
	ck_assert_uint_eq(reply->length, 7);
	ck_assert(memcmp(reply->data, "go away", 7) == 0);
}
END_TEST

static const char *const services[] = {"echo", "chargen", "daytime", "time", "qotd"};

START_TEST(udp_replies_keep_to_the_guard)
{
	open_udp(services[_i], "");
	ck_assert_ptr_null(ask("192.0.2.2:7", 512));
	ck_assert_ptr_null(ask("192.0.2.2:19", 512));
	ck_assert_ptr_null(ask("192.0.2.2:80", 512)); /* the port's own number */
	for (unsigned i = 0; i < 100; i++)
		ck_assert_ptr_nonnull(ask("192.0.2.2:1024", 512));
	ck_assert_ptr_null(ask("192.0.2.2:1024", 512));
	adopt_memory_advance(fixture.reactor, 10);
	ck_assert_ptr_nonnull(ask("192.0.2.2:1024", 512));
	ck_assert_ptr_null(ask("192.0.2.2:1024", 512));
}
END_TEST

START_TEST(cut_requests_are_not_answered)
{
	fixture_open(&fixture, services[_i], "", AF_INET, 128);
	ck_assert_ptr_null(ask("192.0.2.2:1024", 129));
	ck_assert_ptr_nonnull(ask("192.0.2.2:1024", 128));
}
END_TEST

START_TEST(unix_peers_get_all_of_it)
{
	const struct adopt_memory_sent *reply;

	fixture_open(&fixture, services[_i], "", AF_UNIX, 0);
	for (unsigned i = 0; i < 500; i++) {
		reply = ask("unix:/run/peer", 0);
		ck_assert_ptr_nonnull(reply);
		if (strcmp(services[_i], "echo") != 0)
			ck_assert_uint_ge(reply->length, 4);
	}
}
END_TEST

START_TEST(unnamed_unix_peers_are_skipped)
{
	struct adopt_address unnamed = {.length = offsetof(struct sockaddr_un, sun_path)};
	const struct adopt_memory_sent *all;

	unnamed.name.un.sun_family = AF_UNIX;
	fixture_open(&fixture, services[_i], "", AF_UNIX, 0);
	ck_assert_int_eq(adopt_memory_datagram(fixture.port, &unnamed, "?", 1), 0);
	ck_assert_uint_eq(sent(&all), 0);
}
END_TEST

int main(void)
{
	const int count = sizeof services / sizeof services[0];
	Suite *suite = suite_create("handlers_datagram");
	TCase *tests = tcase_create("services");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, echo_answers_with_the_same);
	tcase_add_test(tests, discard_never_answers);
	tcase_add_test(tests, chargen_is_cut_to_the_request);
	tcase_add_test(tests, daytime_is_whole_or_not_at_all);
	tcase_add_test(tests, time_is_whole_or_not_at_all);
	tcase_add_test(tests, qotd_is_cut_to_the_request);
	tcase_add_test(tests, reject_is_silent_without_a_message);
	tcase_add_test(tests, reject_message_is_whole_or_not_at_all);
	tcase_add_loop_test(tests, udp_replies_keep_to_the_guard, 0, count);
	tcase_add_loop_test(tests, cut_requests_are_not_answered, 0, count);
	tcase_add_loop_test(tests, unix_peers_get_all_of_it, 0, count);
	tcase_add_loop_test(tests, unnamed_unix_peers_are_skipped, 0, count);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
