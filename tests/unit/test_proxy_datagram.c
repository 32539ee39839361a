/* The datagram proxy's sessions on the memory reactor. Each session's own socket is a
 * real one, connected and never written to. */
#include "handlers/proxy.h"

#include "support/proxy_protocol.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_PACKET 100

static const char upstream[] = "127.0.0.1:9";
static struct endpoint upstreams[1];

static struct adopt_reactor *reactor;
static struct host host;
static struct proxy_settings settings;
static struct adopt_datagram_protocol *relay;
static struct adopt_port *port;

static void start(void)
{
	ck_assert_int_eq(health_book_new(&settings.health), 0);
	ck_assert_int_eq(adopt_memory_reactor_new(&reactor), 0);
	host_init(&host, reactor, NULL);
	ck_assert_int_eq(proxy_datagram_new(&settings.base, &host, &relay), 0);
	ck_assert_int_eq(adopt_datagram_port(reactor, 0, AF_INET, relay, MAX_PACKET, &port), 0);
}

static void setup(void)
{
	ck_assert_int_eq(endpoint_parse(upstream, upstreams), 0);
	settings = (struct proxy_settings){
		.base.handler = &handler_proxy,
		.upstreams = upstreams,
		.upstream_count = 1,
		.session_timeout_ms = 1000,
		.max_sessions = 3,
	};
	start();
}

static void teardown(void)
{
	adopt_reactor_free(&reactor);
	ck_assert_uint_eq(host.work, 0);
	proxy_datagram_free(relay);
	health_book_close(&settings.health);
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

static bool known(const char *from, const char *to)
{
	struct adopt_address peer = address(from), local = address(to);
	struct adopt_datagram datagram = {.peer = &peer, .local = &local, .data = "", .length = 0};

	return handler_proxy.datagram_known(relay, &datagram);
}

START_TEST(sessions_are_known)
{
	ck_assert(!known("192.0.2.1:1000", "192.0.2.1:80"));
	comes("192.0.2.1:1000", "a");
	ck_assert(known("192.0.2.1:1000", "192.0.2.1:80"));
	ck_assert(!known("192.0.2.1:1001", "192.0.2.1:80"));
	ck_assert(!known("192.0.2.1:1000", "192.0.2.9:80"));
	adopt_memory_advance(reactor, 1000);
	ck_assert(!known("192.0.2.1:1000", "192.0.2.1:80"));
}
END_TEST

START_TEST(sessions_are_listed)
{
	struct adopt_address from = address(upstream);
	struct roll_sight sight;
	struct roll_entry *entry;
	struct roll roll;

	roll_init(&roll, 0, 1);
	host.roll = &roll;
	settings.base.port_name = "dns";
	settings.base.route = 2;
	comes("192.0.2.1:1000", "one");
	comes("192.0.2.1:1000", "three");
	adopt_memory_datagram(session(0), &from, "back", 4);
	comes("192.0.2.2:1000", "");
	ck_assert_uint_eq(roll.count, 2);
	entry = roll_find(&roll, 0);
	entry->ops->look(entry, &sight);
	ck_assert_str_eq(sight.kind, "datagram");
	ck_assert_str_eq(sight.port, "dns");
	ck_assert_uint_eq(sight.route, 2);
	ck_assert_str_eq(sight.handler, "proxy");
	ck_assert_str_eq(sight.note, upstream);
	ck_assert_uint_eq(sight.received, 8);
	ck_assert_uint_eq(sight.sent, 4);
	from = address("192.0.2.1:1000");
	ck_assert(adopt_address_equal(&sight.peer, &from));
	entry->ops->abort(entry);
	ck_assert_uint_eq(roll.count, 1);
	ck_assert(!known("192.0.2.1:1000", "192.0.2.1:80"));
	adopt_memory_advance(reactor, 1000);
	ck_assert_uint_eq(roll.count, 0);
	ck_assert_uint_eq(host.clients, 2);
	host.roll = NULL;
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

/* --- several at a time --- */

struct arrival {
	const char *from, *text;
	bool truncated;
};

#define ARRIVALS_MAX 5

/* Tells a protocol of several, as a port does that has received them together. */
static void come_together(struct adopt_datagram_protocol *protocol, const struct arrival *arrivals,
			  size_t count)
{
	struct adopt_datagram datagrams[ARRIVALS_MAX];
	struct adopt_address peers[ARRIVALS_MAX], local = address("192.0.2.1:80");

	for (size_t i = 0; i < count; i++) {
		peers[i] = address(arrivals[i].from);
		datagrams[i] = (struct adopt_datagram){
			.data = arrivals[i].text,
			.length = strlen(arrivals[i].text),
			.peer = &peers[i],
			.local = &local,
			.truncated = arrivals[i].truncated,
		};
	}
	adopt_datagrams_tell(protocol, datagrams, count);
}

static struct adopt_datagram_protocol *leg(size_t n)
{
	const struct adopt_memory_port *ports;

	ck_assert_uint_gt(adopt_memory_ports(reactor, &ports), n + 1);
	return ports[n + 1].protocol;
}

START_TEST(each_client_keeps_its_order)
{
	static const struct arrival arrivals[] = {
		{"192.0.2.1:1000", "one", false},   {"192.0.2.1:1000", "two", false},
		{"192.0.2.1:1001", "other", false}, {"192.0.2.1:1000", "cut", true},
		{"192.0.2.1:1000", "three", false},
	};
	const struct adopt_memory_sent *sent;

	come_together(relay, arrivals, 5);
	ck_assert_uint_eq(sessions_made(), 2);
	ck_assert_uint_eq(adopt_memory_sent(session(0), &sent), 3);
	ck_sent(session(0), 0, NULL, "one");
	ck_sent(session(0), 1, NULL, "two");
	ck_sent(session(0), 2, NULL, "three");
	ck_sent(session(1), 0, NULL, "other");
}
END_TEST

static const struct arrival answers[] = {
	{upstream, "one", false},
	{upstream, "two", false},
	{upstream, "cut", true},
	{upstream, "three", false},
};

START_TEST(answers_come_together)
{
	const struct adopt_memory_sent *sent;

	comes("192.0.2.1:1000", "ask");
	come_together(leg(0), answers, 4);
	ck_assert_uint_eq(adopt_memory_sent(port, &sent), 3);
	ck_sent(port, 0, "192.0.2.1:1000", "one");
	ck_sent(port, 1, "192.0.2.1:1000", "two");
	ck_sent(port, 2, "192.0.2.1:1000", "three");
}
END_TEST

/* Where the port drains, a session ends with what answers it, and whatever else came then. */
START_TEST(drained_session_ends_among_its_answers)
{
	const struct adopt_memory_sent *sent;

	comes("192.0.2.1:1000", "ask");
	proxy_datagram_drain(relay);
	come_together(leg(0), answers, 4);
	ck_assert_uint_eq(adopt_memory_sent(port, &sent), 2);
	ck_assert_uint_eq(host.work, 0);
	adopt_memory_advance(reactor, 0);
	ck_assert_ptr_null(session(0));
}
END_TEST

/* What the kernel tells a session when its upstream is not there. */
static void refuse(size_t n)
{
	leg(n)->ops->connection_refused(leg(n));
}

START_TEST(what_waits_goes_before_all_others)
{
	static const struct arrival arrivals[] = {
		{"192.0.2.1:1000", "second", false},
		{"192.0.2.1:1000", "third", false},
	};

	settings.retry_interval_ms = 10;
	settings.connect_timeout_ms = 100;
	comes("192.0.2.1:1000", "first");
	refuse(0);
	come_together(relay, arrivals, 2);
	ck_sent(session(1), 0, NULL, "first");
	ck_sent(session(1), 1, NULL, "second");
	ck_sent(session(1), 2, NULL, "third");
}
END_TEST

START_TEST(first_datagram_waits_for_a_backend_that_starts)
{
	struct adopt_address from = address(upstream);

	settings.retry_interval_ms = 10;
	settings.connect_timeout_ms = 100;
	comes("192.0.2.1:1000", "first");
	ck_sent(session(0), 0, NULL, "first");
	refuse(0);
	adopt_memory_advance(reactor, 9);
	ck_assert_uint_eq(sessions_made(), 1);
	adopt_memory_advance(reactor, 1);
	ck_assert_uint_eq(sessions_made(), 2);
	ck_assert_ptr_null(session(0));
	ck_sent(session(1), 0, NULL, "first");
	adopt_memory_datagram(session(1), &from, "answer", 6);
	ck_sent(port, 0, "192.0.2.1:1000", "answer");
	/* It is not sent again once it has been answered. */
	refuse(1);
	adopt_memory_advance(reactor, 500);
	ck_assert_uint_eq(sessions_made(), 2);
	comes("192.0.2.1:1000", "next");
	ck_sent(session(2), 0, NULL, "next");
}
END_TEST

START_TEST(first_datagram_goes_first)
{
	struct adopt_address from = address(upstream);

	settings.retry_interval_ms = 10;
	settings.connect_timeout_ms = 100;
	comes("192.0.2.1:1000", "first");
	refuse(0);
	comes("192.0.2.1:1000", "second");
	ck_sent(session(1), 0, NULL, "first");
	ck_sent(session(1), 1, NULL, "second");
	/* Who serves it is not left for the sake of what has been sent already. */
	adopt_memory_advance(reactor, 50);
	ck_assert_uint_eq(sessions_made(), 2);
	adopt_memory_datagram(session(1), &from, "answer", 6);
	ck_sent(port, 0, "192.0.2.1:1000", "answer");
}
END_TEST

/* Where a server never answers, as one for logs, a refusal may come of a datagram long
 * after the first. */
START_TEST(first_datagram_is_not_repeated_late)
{
	settings.retry_interval_ms = 10;
	settings.connect_timeout_ms = 0;
	settings.session_timeout_ms = 0;
	comes("192.0.2.1:1000", "first");
	adopt_memory_advance(reactor, 1000);
	refuse(0);
	adopt_memory_advance(reactor, 100);
	ck_assert_uint_eq(sessions_made(), 1);
	comes("192.0.2.1:1000", "next");
	ck_sent(session(1), 0, NULL, "next");
}
END_TEST

START_TEST(nothing_is_tried_after_the_timeout)
{
	size_t n = 0;

	settings.retry_interval_ms = 10;
	settings.connect_timeout_ms = 100;
	comes("192.0.2.1:1000", "first");
	for (unsigned ms = 0; ms < 300; ms += 10) {
		while (n < sessions_made())
			refuse(n++);
		adopt_memory_advance(reactor, 10);
	}
	ck_assert_uint_eq(n, 10);
}
END_TEST

START_TEST(header_is_in_the_first_packet_alone)
{
	struct adopt_address from = address("192.0.2.1:1000");
	struct proxy_protocol_header header;
	const struct adopt_memory_sent *sent;
	size_t needed;

	teardown();
	settings.send_proxy = PROXY_HEADER_V2;
	start();
	comes("192.0.2.1:1000", "one");
	comes("192.0.2.1:1000", "two");
	ck_assert_uint_eq(adopt_memory_sent(session(0), &sent), 2);
	ck_assert_int_eq(proxy_protocol_read(sent[0].data, sent[0].length, &header, &needed),
			 VERDICT_MATCH);
	ck_assert_int_eq(header.type, SOCK_DGRAM);
	ck_assert(adopt_address_equal(&header.source, &from));
	ck_assert_int_eq(adopt_address_family(&header.destination), AF_INET);
	ck_assert_uint_eq(sent[0].length, header.length + 3);
	ck_assert(memcmp((const char *)sent[0].data + header.length, "one", 3) == 0);
	ck_sent(session(0), 1, NULL, "two");
	/* Whoever is asked next has not heard it, nor what was first. */
	refuse(0);
	comes("192.0.2.1:1000", "three");
	ck_assert_uint_eq(adopt_memory_sent(session(1), &sent), 2);
	ck_assert_uint_eq(sent[0].length, header.length + 3);
	ck_sent(session(1), 1, NULL, "three");
}
END_TEST

START_TEST(header_is_in_the_first_of_several_alone)
{
	static const struct arrival arrivals[] = {
		{"192.0.2.1:1000", "one", false},
		{"192.0.2.1:1000", "two", false},
		{"192.0.2.1:1000", "three", false},
	};
	const struct adopt_memory_sent *sent;

	teardown();
	settings.send_proxy = PROXY_HEADER_V2;
	start();
	come_together(relay, arrivals, 3);
	ck_assert_uint_eq(adopt_memory_sent(session(0), &sent), 3);
	ck_assert_uint_gt(sent[0].length, 3);
	ck_sent(session(0), 1, NULL, "two");
	ck_sent(session(0), 2, NULL, "three");
}
END_TEST

START_TEST(version_1_knows_no_datagrams)
{
	settings.send_proxy = PROXY_HEADER_V1;
	ck_assert_ptr_nonnull(handler_proxy.misfit(&settings.base, SOCK_DGRAM));
	ck_assert_ptr_null(handler_proxy.misfit(&settings.base, SOCK_STREAM));
	settings.send_proxy = PROXY_HEADER_V2;
	ck_assert_ptr_null(handler_proxy.misfit(&settings.base, SOCK_DGRAM));
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
	tcase_add_test(tests, sessions_are_known);
	tcase_add_test(tests, sessions_are_listed);
	tcase_add_test(tests, idle_sessions_end);
	tcase_add_test(tests, used_sessions_stay);
	tcase_add_test(tests, longest_idle_makes_room);
	tcase_add_test(tests, cut_datagrams_are_dropped);
	tcase_add_test(tests, never_is_without_end);
	tcase_add_test(tests, each_client_keeps_its_order);
	tcase_add_test(tests, answers_come_together);
	tcase_add_test(tests, drained_session_ends_among_its_answers);
	tcase_add_test(tests, what_waits_goes_before_all_others);
	tcase_add_test(tests, first_datagram_waits_for_a_backend_that_starts);
	tcase_add_test(tests, first_datagram_goes_first);
	tcase_add_test(tests, first_datagram_is_not_repeated_late);
	tcase_add_test(tests, nothing_is_tried_after_the_timeout);
	tcase_add_test(tests, header_is_in_the_first_packet_alone);
	tcase_add_test(tests, header_is_in_the_first_of_several_alone);
	tcase_add_test(tests, version_1_knows_no_datagrams);
	tcase_add_test(tests, port_takes_its_sessions_along);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
