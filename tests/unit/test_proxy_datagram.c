/* The datagram proxy's sessions on the memory reactor. Each session's own socket is a
 * real one, connected and never written to. */
#include "handlers/proxy.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_PACKET 100

static char upstream[] = "127.0.0.1:9";
static char *upstreams[] = {upstream};

static struct adopt_reactor *reactor;
static struct proxy_settings settings;
static struct adopt_datagram_protocol *relay;
static struct adopt_port *port;

static void setup(void)
{
	settings = (struct proxy_settings){
		.base.handler = &handler_proxy,
		.upstreams = upstreams,
		.upstream_count = 1,
		.session_timeout_ms = 1000,
		.max_sessions = 3,
	};
	ck_assert_int_eq(adopt_memory_reactor_new(&reactor), 0);
	ck_assert_int_eq(proxy_datagram_new(&settings.base, reactor, &relay), 0);
	ck_assert_int_eq(adopt_datagram_port(reactor, 0, AF_INET, relay, MAX_PACKET, &port), 0);
}

static void teardown(void)
{
	adopt_reactor_free(&reactor);
	proxy_datagram_free(relay);
}

static struct adopt_address address(const char *text)
{
	struct adopt_address parsed;

	ck_assert_int_eq(adopt_address_parse(text, &parsed), 0);
	return parsed;
}

static void comes(const char *from, const char *text)
{
	struct adopt_address peer = address(from);

	adopt_memory_datagram(port, &peer, text, strlen(text));
}

/* The port of the session made as the n-th, counted from 0; NULL once it has ended. */
static struct adopt_port *session(size_t n)
{
	const struct adopt_memory_port *ports;

	ck_assert_uint_gt(adopt_memory_ports(reactor, &ports), n + 1);
	return ports[n + 1].port;
}

static size_t sessions_made(void)
{
	const struct adopt_memory_port *ports;

	return adopt_memory_ports(reactor, &ports) - 1;
}

static void ck_sent(struct adopt_port *on, size_t index, const char *to, const char *text)
{
	const struct adopt_memory_sent *sent;
	struct adopt_address expected;

	ck_assert_uint_gt(adopt_memory_sent(on, &sent), index);
	ck_assert_uint_eq(sent[index].length, strlen(text));
	ck_assert(memcmp(sent[index].data, text, strlen(text)) == 0);
	if (!to) {
		ck_assert_uint_eq(sent[index].to.length, 0);
		return;
	}
	expected = address(to);
	ck_assert(adopt_address_equal(&sent[index].to, &expected));
}

START_TEST(each_client_has_a_session)
{
	struct adopt_address from = address(upstream);

	comes("192.0.2.1:1000", "one");
	comes("192.0.2.1:1001", "two");
	comes("192.0.2.1:1000", "three");
	ck_assert_uint_eq(sessions_made(), 2);
	ck_sent(session(0), 0, NULL, "one");
	ck_sent(session(0), 1, NULL, "three");
	ck_sent(session(1), 0, NULL, "two");
	adopt_memory_datagram(session(1), &from, "back", 4);
	ck_sent(port, 0, "192.0.2.1:1001", "back");
}
END_TEST

START_TEST(idle_sessions_end)
{
	comes("192.0.2.1:1000", "a");
	adopt_memory_advance(reactor, 600);
	comes("192.0.2.1:1001", "b");
	adopt_memory_advance(reactor, 399);
	ck_assert_ptr_nonnull(session(0));
	adopt_memory_advance(reactor, 1);
	ck_assert_ptr_null(session(0));
	ck_assert_ptr_nonnull(session(1));
	adopt_memory_advance(reactor, 600);
	ck_assert_ptr_null(session(1));
	comes("192.0.2.1:1000", "again");
	ck_assert_uint_eq(sessions_made(), 3);
}
END_TEST

START_TEST(used_sessions_stay)
{
	struct adopt_address from = address(upstream);

	comes("192.0.2.1:1000", "a");
	for (unsigned i = 0; i < 10; i++) {
		adopt_memory_advance(reactor, 900);
		if (i % 2)
			comes("192.0.2.1:1000", "b");
		else
			adopt_memory_datagram(session(0), &from, "c", 1);
	}
	ck_assert_ptr_nonnull(session(0));
	ck_assert_uint_eq(sessions_made(), 1);
}
END_TEST

START_TEST(longest_idle_makes_room)
{
	comes("192.0.2.1:1000", "a");
	comes("192.0.2.1:1001", "b");
	comes("192.0.2.1:1002", "c");
	comes("192.0.2.1:1000", "a");
	comes("192.0.2.1:1003", "d");
	adopt_memory_advance(reactor, 0);
	ck_assert_ptr_nonnull(session(0));
	ck_assert_ptr_null(session(1));
	ck_assert_ptr_nonnull(session(2));
	ck_assert_ptr_nonnull(session(3));
}
END_TEST

START_TEST(cut_datagrams_are_dropped)
{
	char text[MAX_PACKET + 2];

	memset(text, 'x', sizeof text);
	text[MAX_PACKET + 1] = '\0';
	comes("192.0.2.1:1000", text);
	ck_assert_uint_eq(sessions_made(), 0);
	text[MAX_PACKET] = '\0';
	comes("192.0.2.1:1000", text);
	ck_sent(session(0), 0, NULL, text);
}
END_TEST

START_TEST(never_is_without_end)
{
	settings.session_timeout_ms = 0;
	comes("192.0.2.1:1000", "a");
	adopt_memory_advance(reactor, 100000000);
	ck_assert_ptr_nonnull(session(0));
}
END_TEST

START_TEST(port_takes_its_sessions_along)
{
	comes("192.0.2.1:1000", "a");
	comes("192.0.2.1:1001", "b");
	adopt_port_stop(&port);
	adopt_memory_advance(reactor, 0);
	ck_assert_uint_eq(adopt_reactor_port_count(reactor), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("proxy_datagram");
	TCase *tests = tcase_create("sessions");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, each_client_has_a_session);
	tcase_add_test(tests, idle_sessions_end);
	tcase_add_test(tests, used_sessions_stay);
	tcase_add_test(tests, longest_idle_makes_room);
	tcase_add_test(tests, cut_datagrams_are_dropped);
	tcase_add_test(tests, never_is_without_end);
	tcase_add_test(tests, port_takes_its_sessions_along);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
