/* The proxy handler on the memory reactor: whom it connects to, when it tries again,
 * and when it gives up. What crosses real sockets is tested by
 * tests/integration. */
#include "memory_proxy.h"
#include "support/proxy_protocol.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void setup(void)
{
	memory_proxy_start(2);
}

static size_t connects(const struct adopt_memory_connect **ret)
{
	return adopt_memory_connects(reactor, ret);
}

static void refuse(size_t index)
{
	ck_assert_int_eq(adopt_memory_connect_finish(reactor, index, -ECONNREFUSED, NULL), 0);
}

static void ck_written(struct adopt_transport *transport, const char *text)
{
	const void *data;
	size_t length = adopt_memory_written(transport, &data);

	ck_assert_uint_eq(length, strlen(text));
	ck_assert(memcmp(data, text, length) == 0);
}

START_TEST(client_is_held_then_joined)
{
	struct adopt_transport *one = client(), *upstream = NULL;
	const struct adopt_memory_connect *made;

	ck_assert_uint_eq(connects(&made), 1);
	ck_assert(adopt_memory_paused(one));
	ck_assert_int_eq(adopt_memory_deliver(one, "early", 5), -EAGAIN);
	ck_assert_int_eq(adopt_memory_connect_finish(reactor, 0, 0, &upstream), 0);
	ck_assert(!adopt_memory_paused(one));
	ck_assert_int_eq(adopt_memory_deliver(one, "ask", 3), 0);
	ck_written(upstream, "ask");
	ck_assert_int_eq(adopt_memory_deliver(upstream, "answer", 6), 0);
	ck_written(one, "answer");
	ck_assert_int_eq(adopt_memory_deliver_eof(one), 0);
	ck_assert(!adopt_memory_write_shut(one));
	adopt_memory_take(upstream, 3);
	ck_assert(adopt_memory_write_shut(upstream));
	ck_assert_int_eq(adopt_memory_deliver(upstream, "!", 1), 0);
	ck_written(one, "answer!");
	adopt_memory_take(one, 7);
	ck_assert_int_eq(adopt_memory_deliver_eof(upstream), 0);
	adopt_memory_advance(reactor, 0);
	ck_assert_uint_eq(adopt_reactor_connection_count(reactor), 0);
}
END_TEST

START_TEST(upstreams_take_turns)
{
	const struct adopt_memory_connect *made;

	client();
	client();
	client();
	ck_assert_uint_eq(connects(&made), 3);
	ck_assert_int_eq(adopt_address_family(&made[0].address), AF_INET);
	ck_assert_int_eq(adopt_address_family(&made[1].address), AF_UNIX);
	ck_assert(adopt_address_equal(&made[2].address, &made[0].address));
}
END_TEST

START_TEST(silent_upstream_leaves_the_other_its_share)
{
	const struct adopt_memory_connect *made;

	client();
	connects(&made);
	ck_assert_uint_eq(made[0].timeout_ms, 500);
	adopt_memory_advance(reactor, 500);
	ck_assert_uint_eq(connects(&made), 2);
	ck_assert_int_eq(adopt_address_family(&made[1].address), AF_UNIX);
	ck_assert_uint_eq(made[1].timeout_ms, 500);
}
END_TEST

START_TEST(tries_again_until_the_deadline)
{
	const struct adopt_memory_connect *made;
	size_t done = 0;

	client();
	for (unsigned ms = 0; ms < 2000; ms += 50) {
		while (done < connects(&made))
			refuse(done++);
		adopt_memory_advance(reactor, 50);
	}
	/* Two addresses a round, a round each 100 ms, the first at once, for a second. */
	ck_assert_uint_eq(done, 20);
	ck_assert_uint_eq(adopt_reactor_connection_count(reactor), 0);
}
END_TEST

START_TEST(backend_that_starts_late_is_met)
{
	struct adopt_transport *one = client(), *upstream = NULL;

	refuse(0);
	refuse(1);
	adopt_memory_advance(reactor, 99);
	ck_assert_int_eq(adopt_memory_connect_finish(reactor, 2, 0, &upstream), -ENOENT);
	adopt_memory_advance(reactor, 1);
	ck_assert_int_eq(adopt_memory_connect_finish(reactor, 2, 0, &upstream), 0);
	ck_assert_int_eq(adopt_memory_deliver(one, "x", 1), 0);
	ck_written(upstream, "x");
}
END_TEST

START_TEST(no_retry_where_the_interval_is_never)
{
	settings.retry_interval_ms = 0;
	/* The fixture's queue was made before. */
	memory_proxy_again();
	client();
	refuse(0);
	refuse(1);
	adopt_memory_advance(reactor, 0);
	ck_assert_uint_eq(adopt_reactor_connection_count(reactor), 0);
}
END_TEST

START_TEST(no_deadline_where_the_timeout_is_never)
{
	const struct adopt_memory_connect *made;
	size_t done = 0;

	settings.connect_timeout_ms = 0;
	client();
	for (unsigned ms = 0; ms < 100000; ms += 100) {
		while (done < connects(&made)) {
			ck_assert_uint_eq(made[done].timeout_ms, 0);
			refuse(done++);
		}
		adopt_memory_advance(reactor, 100);
	}
	ck_assert_uint_eq(done, 2000);
	ck_assert_uint_eq(adopt_reactor_connection_count(reactor), 1);
}
END_TEST

START_TEST(client_that_leaves_ends_the_dialling)
{
	const struct adopt_memory_connect *made;

	adopt_memory_lose(client(), -ECONNRESET);
	adopt_memory_advance(reactor, 5000);
	ck_assert_uint_eq(connects(&made), 1);
	ck_assert(made[0].done);
}
END_TEST

START_TEST(joined_client_notes_its_upstream)
{
	struct adopt_transport *one = client();

	ck_assert_ptr_null(adopt_transport_note(one));
	refuse(0);
	ck_assert_int_eq(adopt_memory_connect_finish(reactor, 1, 0, NULL), 0);
	ck_assert_str_eq(adopt_transport_note(one), "unix:/run/second");
}
END_TEST

START_TEST(reset_of_one_reaches_the_other)
{
	struct adopt_transport *upstream = NULL;

	client();
	ck_assert_int_eq(adopt_memory_connect_finish(reactor, 0, 0, &upstream), 0);
	adopt_memory_lose(upstream, -ECONNRESET);
	adopt_memory_advance(reactor, 0);
	ck_assert_uint_eq(adopt_reactor_connection_count(reactor), 0);
}
END_TEST

/* A client of these addresses, and what its upstream has heard before it speaks. */
static size_t introduced(enum proxy_header header, const char *local, const char *peer,
			 const void **ret)
{
	struct adopt_address from, to;
	struct adopt_transport *one = NULL, *upstream = NULL;

	settings.send_proxy = header;
	ck_assert_int_eq(adopt_address_parse(local, &to), 0);
	ck_assert_int_eq(adopt_address_parse(peer, &from), 0);
	ck_assert_int_eq(adopt_memory_transport_new(reactor, factory, &to, &from, &one), 0);
	ck_assert_int_eq(adopt_memory_connect_finish(reactor, 0, 0, &upstream), 0);
	return adopt_memory_written(upstream, ret);
}

START_TEST(header_of_version_1)
{
	static const char expected[] = "PROXY TCP4 198.51.100.7 192.0.2.1 4711 443\r\n";
	const void *data;
	size_t length = introduced(PROXY_HEADER_V1, "192.0.2.1:443", "198.51.100.7:4711", &data);

	ck_assert_uint_eq(length, sizeof expected - 1);
	ck_assert(memcmp(data, expected, length) == 0);
}
END_TEST

START_TEST(header_of_version_1_for_a_unix_client)
{
	static const char expected[] = "PROXY UNKNOWN\r\n";
	const void *data;
	size_t length = introduced(PROXY_HEADER_V1, "unix:/run/own", "unix:@client", &data);

	ck_assert_uint_eq(length, sizeof expected - 1);
	ck_assert(memcmp(data, expected, length) == 0);
}
END_TEST

START_TEST(header_of_version_2)
{
	struct proxy_protocol_header header;
	struct adopt_address expected;
	size_t needed;
	const void *data;
	size_t length =
		introduced(PROXY_HEADER_V2, "[2001:db8::1]:443", "[2001:db8::7]:4711", &data);

	ck_assert_int_eq(proxy_protocol_read(data, length, &header, &needed), VERDICT_MATCH);
	ck_assert_uint_eq(header.length, length);
	ck_assert_int_eq(header.type, SOCK_STREAM);
	ck_assert_int_eq(adopt_address_parse("[2001:db8::7]:4711", &expected), 0);
	ck_assert(adopt_address_equal(&header.source, &expected));
	ck_assert_int_eq(adopt_address_parse("[2001:db8::1]:443", &expected), 0);
	ck_assert(adopt_address_equal(&header.destination, &expected));
}
END_TEST

START_TEST(header_goes_before_what_the_client_says)
{
	struct adopt_transport *one = client(), *upstream = NULL;

	settings.send_proxy = PROXY_HEADER_V1;
	ck_assert_int_eq(adopt_memory_connect_finish(reactor, 0, 0, &upstream), 0);
	ck_assert_int_eq(adopt_memory_deliver(one, "hello", 5), 0);
	ck_written(upstream, "PROXY TCP4 192.0.2.2 192.0.2.1 1024 80\r\nhello");
}
END_TEST

START_TEST(least_connections_counts_the_joined)
{
	const struct adopt_memory_connect *made;
	struct adopt_transport *upstream = NULL;

	/* The fixture's upstreams were made before. */
	settings.balance = BALANCE_LEAST_CONNECTIONS;
	memory_proxy_again();
	for (size_t i = 0; i < 4; i++) {
		client();
		ck_assert_int_eq(
			adopt_memory_connect_finish(reactor, i, 0, i == 1 ? &upstream : NULL), 0);
	}
	adopt_memory_lose(upstream, -ECONNRESET);
	adopt_memory_advance(reactor, 0);
	client();
	ck_assert_uint_eq(connects(&made), 5);
	ck_assert(adopt_address_equal(&made[4].address, &made[1].address));
}
END_TEST

START_TEST(reactor_may_end_at_any_point)
{
	client();
	client();
	client();
	ck_assert_int_eq(adopt_memory_connect_finish(reactor, 0, 0, NULL), 0);
	refuse(1);
	refuse(3);
	/* teardown frees it: the sanitizer tells of what is left */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("proxy");
	TCase *tests = tcase_create("streams");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, memory_proxy_stop);
	tcase_add_test(tests, client_is_held_then_joined);
	tcase_add_test(tests, upstreams_take_turns);
	tcase_add_test(tests, silent_upstream_leaves_the_other_its_share);
	tcase_add_test(tests, tries_again_until_the_deadline);
	tcase_add_test(tests, backend_that_starts_late_is_met);
	tcase_add_test(tests, no_retry_where_the_interval_is_never);
	tcase_add_test(tests, no_deadline_where_the_timeout_is_never);
	tcase_add_test(tests, client_that_leaves_ends_the_dialling);
	tcase_add_test(tests, joined_client_notes_its_upstream);
	tcase_add_test(tests, reset_of_one_reaches_the_other);
	tcase_add_test(tests, header_of_version_1);
	tcase_add_test(tests, header_of_version_1_for_a_unix_client);
	tcase_add_test(tests, header_of_version_2);
	tcase_add_test(tests, header_goes_before_what_the_client_says);
	tcase_add_test(tests, least_connections_counts_the_joined);
	tcase_add_test(tests, reactor_may_end_at_any_point);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
