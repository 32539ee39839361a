/* Whom a small service may answer over UDP. */
#include "handlers/udp_guard.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWN_PORT 7007

static struct udp_guard *guard;
static uint64_t now_ms;

static void setup(void)
{
	ck_assert_int_eq(udp_guard_new(&guard), 0);
	now_ms = 0;
}

static void teardown(void)
{
	udp_guard_free(&guard);
	ck_assert_ptr_null(guard);
	udp_guard_free(&guard);
}

static struct adopt_address address(const char *text)
{
	struct adopt_address parsed;

	ck_assert_int_eq(adopt_address_parse(text, &parsed), 0);
	return parsed;
}

static bool allows(const struct adopt_address *peer)
{
	struct adopt_datagram request = {.data = "?", .length = 1, .peer = peer};

	return udp_guard_allows(guard, &request, OWN_PORT, now_ms);
}

static unsigned allowed_of(const char *peer, unsigned requests)
{
	struct adopt_address from = address(peer);
	unsigned allowed = 0;

	while (requests-- > 0)
		allowed += allows(&from);
	return allowed;
}

/* Asks once from each of `count` sources, so that hardly two share a bucket. */
static unsigned allowed_sources(const char *prefix, char separator, const char *suffix,
				unsigned count)
{
	unsigned allowed = 0;
	char peer[64];

	for (unsigned i = 0; i < count; i++) {
		snprintf(peer, sizeof peer, "%s%u%c%u%s", prefix, i / 256, separator, i % 256,
			 suffix);
		allowed += allowed_of(peer, 1);
	}
	return allowed;
}

START_TEST(room_is_the_request_over_udp_only)
{
	struct adopt_address in = address("192.0.2.2:1024"), in6 = address("[2001:db8::2]:1024"),
			     un = address("unix:/run/peer");
	struct adopt_datagram request = {.length = 9, .peer = &in};

	ck_assert_uint_eq(udp_guard_room(&request), 9);
	request.peer = &in6;
	ck_assert_uint_eq(udp_guard_room(&request), 9);
	request.peer = &un;
	ck_assert_uint_eq(udp_guard_room(&request), SIZE_MAX);
}
END_TEST

START_TEST(ports_that_may_answer_back_get_nothing)
{
	static const unsigned ports[] = {0, 7, 13, 17, 19, 37, 53, 123, OWN_PORT};
	char peer[64];

	for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
		snprintf(peer, sizeof peer, "192.0.2.2:%u", ports[i]);
		ck_assert_msg(allowed_of(peer, 1) == 0, "%s", peer);
		snprintf(peer, sizeof peer, "[2001:db8::2]:%u", ports[i]);
		ck_assert_msg(allowed_of(peer, 1) == 0, "%s", peer);
	}
	ck_assert_uint_eq(allowed_of("192.0.2.2:8", 1), 1);
	ck_assert_uint_eq(allowed_of("[2001:db8::2]:65535", 1), 1);
}
END_TEST

START_TEST(cut_requests_get_nothing)
{
	struct adopt_address peer = address("192.0.2.2:1024");
	struct adopt_datagram request = {.length = 9, .peer = &peer, .truncated = true};

	ck_assert(!udp_guard_allows(guard, &request, OWN_PORT, now_ms));
}
END_TEST

START_TEST(peers_without_an_address_get_nothing)
{
	struct adopt_address unnamed = {.length = offsetof(struct sockaddr_un, sun_path)};
	struct adopt_address unknown = {.length = 0};

	unnamed.name.un.sun_family = AF_UNIX;
	ck_assert(!allows(&unnamed));
	ck_assert(!allows(&unknown));
}
END_TEST

START_TEST(unix_peers_are_not_limited)
{
	ck_assert_uint_eq(allowed_of("unix:/run/peer", 5000), 5000);
	ck_assert_uint_eq(allowed_of("192.0.2.2:1024", 200), UDP_GUARD_SOURCE_RATE);
}
END_TEST

START_TEST(source_has_its_burst_then_its_rate)
{
	ck_assert_uint_eq(allowed_of("192.0.2.2:1024", 200), UDP_GUARD_SOURCE_RATE);
	now_ms += 9;
	ck_assert_uint_eq(allowed_of("192.0.2.2:1024", 200), 0);
	now_ms += 1;
	ck_assert_uint_eq(allowed_of("192.0.2.2:1024", 200), 1);
	now_ms += 1000;
	ck_assert_uint_eq(allowed_of("192.0.2.2:1024", 200), UDP_GUARD_SOURCE_RATE);
	now_ms += 100000;
	ck_assert_uint_eq(allowed_of("192.0.2.2:1024", 200), UDP_GUARD_SOURCE_RATE);
}
END_TEST

START_TEST(source_is_an_ipv4_address_or_an_ipv6_64)
{
	ck_assert_uint_eq(allowed_of("192.0.2.2:1024", 200), UDP_GUARD_SOURCE_RATE);
	ck_assert_uint_eq(allowed_of("192.0.2.2:1025", 1), 0);
	ck_assert_uint_eq(allowed_of("[::ffff:192.0.2.2]:1024", 1), 0);
	ck_assert_uint_gt(allowed_sources("192.0.", '.', ":1024", 20), 15);

	now_ms += 1000;
	ck_assert_uint_eq(allowed_of("[2001:db8::2]:1024", 200), UDP_GUARD_SOURCE_RATE);
	ck_assert_uint_eq(allowed_of("[2001:db8::ffff:3]:1024", 1), 0);
	ck_assert_uint_gt(allowed_sources("[2001:db8:", ':', "::2]:1024", 20), 15);

	now_ms += 1000;
	ck_assert_uint_eq(allowed_of("[::ffff:192.0.2.2]:1024", 200), UDP_GUARD_SOURCE_RATE);
	ck_assert_uint_gt(allowed_sources("[::ffff:198.51.", '.', "]:1024", 20), 15);
}
END_TEST

START_TEST(all_sources_together_have_a_bound)
{
	ck_assert_uint_eq(allowed_sources("10.0.", '.', ":1024", 4000), UDP_GUARD_TOTAL_RATE);
	now_ms += 10;
	ck_assert_uint_eq(allowed_sources("10.1.", '.', ":1024", 4000), UDP_GUARD_TOTAL_RATE / 100);
	now_ms += 1000;
	ck_assert_uint_eq(allowed_sources("10.2.", '.', ":1024", 4000), UDP_GUARD_TOTAL_RATE);
}
END_TEST

START_TEST(refused_request_costs_its_source_nothing)
{
	allowed_sources("10.0.", '.', ":1024", 4000);
	ck_assert_uint_eq(allowed_of("192.0.2.2:1024", 200), 0);
	now_ms += 100;
	/* Of its burst; ten, had those been counted that the overall bound refused. */
	ck_assert_uint_gt(allowed_of("192.0.2.2:1024", 200), 50);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("udp_guard");
	TCase *tests = tcase_create("rules");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, room_is_the_request_over_udp_only);
	tcase_add_test(tests, ports_that_may_answer_back_get_nothing);
	tcase_add_test(tests, cut_requests_get_nothing);
	tcase_add_test(tests, peers_without_an_address_get_nothing);
	tcase_add_test(tests, unix_peers_are_not_limited);
	tcase_add_test(tests, source_has_its_burst_then_its_rate);
	tcase_add_test(tests, source_is_an_ipv4_address_or_an_ipv6_64);
	tcase_add_test(tests, all_sources_together_have_a_bound);
	tcase_add_test(tests, refused_request_costs_its_source_nothing);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
