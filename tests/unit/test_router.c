/* The router on the memory reactor: which factory gets whom, when, and with what bytes. */
#include "routing/router.h"
#include "support/proxy_protocol.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A handler that remembers who came and what they said. */
struct taker {
	struct adopt_factory base;
	unsigned built;
	unsigned lost;
	struct adopt_address peer;
	char said[32 * 1024];
	size_t length;
	bool ended;
};

struct taken {
	struct adopt_protocol base;
	struct taker *taker;
};

static void heard(struct adopt_protocol *protocol, const void *data, size_t length)
{
	struct taker *taker = ((struct taken *)protocol)->taker;

	ck_assert_uint_le(taker->length + length, sizeof taker->said);
	memcpy(taker->said + taker->length, data, length);
	taker->length += length;
}

static void heard_end(struct adopt_protocol *protocol)
{
	((struct taken *)protocol)->taker->ended = true;
}

static void was_lost(struct adopt_protocol *protocol, int error)
{
	(void)error;
	((struct taken *)protocol)->taker->lost++;
	free(protocol);
}

static const struct adopt_protocol_ops taken_ops = {
	.data_received = heard,
	.read_closed = heard_end,
	.connection_lost = was_lost,
};

static struct adopt_protocol *build(struct adopt_factory *factory, const struct adopt_address *peer)
{
	struct taken *taken = calloc(1, sizeof *taken);

	ck_assert_ptr_nonnull(taken);
	taken->base.ops = &taken_ops;
	taken->taker = (struct taker *)factory;
	taken->taker->built++;
	taken->taker->peer = *peer;
	return &taken->base;
}

static const struct adopt_factory_ops taker_ops = {.build_protocol = build};

static struct adopt_reactor *reactor;
static struct router_settings settings;
static struct host host;
static struct ledger *ledger;
static struct router *router;
static struct taker fallback, takers[3];
static struct router_route routes[4];
static cfg_t *trees[3];
static struct conditions *conditions[3];
static size_t route_count;

static void setup(void)
{
	ck_assert_int_eq(adopt_memory_reactor_new(&reactor), 0);
	host_init(&host, reactor, NULL);
	ck_assert_int_eq(ledger_new(&ledger), 0);
	settings = (struct router_settings){.port_name = "test", .sniff_timeout_ms = 3000};
	fallback = (struct taker){.base.ops = &taker_ops};
	route_count = 0;
}

static void teardown(void)
{
	adopt_reactor_free(&reactor);
	ck_assert_uint_eq(host.work, 0);
	router_free(&router);
	host_done(&host);
	ledger_free(&ledger);
	for (size_t i = 0; i < route_count; i++) {
		conditions_free(&conditions[i]);
		cfg_free(trees[i]);
	}
	free(settings.proxies);
}

/* Adds a route whose conditions are written as in a route block. */
static void add_route(const char *text)
{
	struct faults *faults;
	size_t i = route_count++;

	ck_assert_int_eq(faults_new(&faults), 0);
	trees[i] = cfg_init((cfg_opt_t *)(uintptr_t)condition_options, CFGF_NONE);
	ck_assert_int_eq(cfg_parse_buf(trees[i], text), CFG_SUCCESS);
	ck_assert_int_eq(conditions_new(trees[i], faults, &conditions[i]), 0);
	faults_free(&faults);
	takers[i] = (struct taker){.base.ops = &taker_ops};
	routes[i] = (struct router_route){conditions[i], &takers[i].base, "taker"};
}

static void make_router(void)
{
	routes[route_count] = (struct router_route){NULL, &fallback.base, "own"};
	ck_assert_int_eq(ledger_set_limits(ledger, &settings.gate), 0);
	ck_assert_int_eq(router_new(&settings, routes, route_count, &host, ledger, &router), 0);
}

static void take_proxies(const char *network)
{
	char problem[NETWORK_PROBLEM_SIZE];

	settings.proxies = calloc(1, sizeof *settings.proxies);
	ck_assert_int_eq(network_parse(network, settings.proxies, problem), 0);
	settings.proxy_count = 1;
}

static struct adopt_transport *client(const char *from)
{
	struct adopt_transport *transport = NULL;
	struct adopt_address peer;

	ck_assert_int_eq(adopt_address_parse(from, &peer), 0);
	ck_assert_int_eq(adopt_memory_transport_new(reactor, router_factory(router), NULL, &peer,
						    &transport),
			 0);
	return transport;
}

static void says(struct adopt_transport *transport, const char *text)
{
	ck_assert_int_eq(adopt_memory_deliver(transport, text, strlen(text)), 0);
}

static void ck_said(const struct taker *taker, const char *text)
{
	adopt_memory_advance(reactor, 0);
	ck_assert_uint_eq(taker->length, strlen(text));
	ck_assert(memcmp(taker->said, text, taker->length) == 0);
}

START_TEST(first_route_that_matches_takes_every_byte)
{
	struct adopt_transport *one;

	add_route("protocol = {ssh}");
	add_route("starts-with = {\"GET \"}");
	make_router();
	one = client("192.0.2.1:5");
	says(one, "GE");
	ck_assert_uint_eq(fallback.built + takers[1].built, 0);
	says(one, "T /");
	ck_assert_uint_eq(takers[1].built, 1);
	ck_said(&takers[1], "GET /");
	says(one, " more");
	ck_said(&takers[1], "GET / more");
}
END_TEST

START_TEST(no_byte_is_awaited_where_none_is_needed)
{
	add_route("source = {\"192.0.2.0/24\"}");
	add_route("protocol = {ssh}");
	make_router();
	client("192.0.2.1:5");
	ck_assert_uint_eq(takers[0].built, 1);
	client("198.51.100.1:5");
	ck_assert_uint_eq(takers[0].built + takers[1].built + fallback.built, 1);
}
END_TEST

START_TEST(all_conditions_must_hold)
{
	add_route("source = {\"192.0.2.0/24\"} starts-with = {\"a\", \"b\"}");
	make_router();
	says(client("198.51.100.1:5"), "a");
	says(client("192.0.2.1:5"), "c");
	ck_assert_uint_eq(fallback.built, 2);
	says(client("192.0.2.1:5"), "b");
	ck_assert_uint_eq(takers[0].built, 1);
}
END_TEST

START_TEST(silence_ends_at_the_sniff_timeout)
{
	struct adopt_transport *one;

	add_route("starts-with = {\"hello\"}");
	make_router();
	one = client("192.0.2.1:5");
	for (unsigned i = 0; i < 3; i++) {
		adopt_memory_advance(reactor, 900);
		says(one, i == 0 ? "h" : i == 1 ? "e" : "l");
	}
	ck_assert_uint_eq(fallback.built, 0);
	adopt_memory_advance(reactor, 299);
	ck_assert_uint_eq(fallback.built, 0);
	adopt_memory_advance(reactor, 1);
	ck_assert_uint_eq(fallback.built, 1);
	ck_said(&fallback, "hel");
}
END_TEST

START_TEST(end_of_file_decides)
{
	struct adopt_transport *one;

	add_route("starts-with = {\"hello\"}");
	make_router();
	one = client("192.0.2.1:5");
	says(one, "he");
	ck_assert_int_eq(adopt_memory_deliver_eof(one), 0);
	ck_assert_uint_eq(fallback.built, 1);
	ck_said(&fallback, "he");
	ck_assert(fallback.ended);
}
END_TEST

START_TEST(client_that_leaves_is_forgotten)
{
	add_route("starts-with = {\"hello\"}");
	make_router();
	adopt_memory_lose(client("192.0.2.1:5"), -ECONNRESET);
	adopt_memory_advance(reactor, 5000);
	ck_assert_uint_eq(fallback.built, 0);
	ck_assert_uint_eq(adopt_reactor_connection_count(reactor), 0);
}
END_TEST

START_TEST(header_tells_the_peer)
{
	struct adopt_transport *one;
	char text[ADOPT_ADDRESS_TEXT_SIZE];

	take_proxies("192.0.2.0/24");
	add_route("source = {\"203.0.113.9\"}");
	make_router();
	one = client("192.0.2.1:5");
	says(one, "PROXY TCP4 203.0.113.9 ");
	ck_assert_uint_eq(takers[0].built, 0);
	says(one, "198.51.100.7 1234 80\r\nrest");
	ck_assert_uint_eq(takers[0].built, 1);
	ck_assert_str_eq(adopt_address_format(&takers[0].peer, text, sizeof text),
			 "203.0.113.9:1234");
	ck_said(&takers[0], "rest");
}
END_TEST

/* One time for both of them. */
START_TEST(header_and_opening_share_the_sniff_timeout)
{
	struct adopt_transport *one;

	take_proxies("192.0.2.0/24");
	add_route("starts-with = {\"hello\"}");
	make_router();
	one = client("192.0.2.1:5");
	adopt_memory_advance(reactor, 2000);
	says(one, "PROXY UNKNOWN\r\nhel");
	adopt_memory_advance(reactor, 999);
	ck_assert_uint_eq(fallback.built, 0);
	adopt_memory_advance(reactor, 1);
	ck_assert_uint_eq(fallback.built, 1);
	ck_said(&fallback, "hel");
}
END_TEST

/* The longest header and a long opening, more than is looked at in one go. */
START_TEST(opening_behind_a_long_header)
{
	static const char head[] = "\r\n\r\n\0\r\nQUIT\n\x21\0\x3f\xf0\xe0\x3f\xed";
	static const char begin[] = "GET / HTTP/1.1\r\nX: ";
	static const char end[] = "\r\nHost: a.org\r\n\r\n";
	static char bytes[PROXY_PROTOCOL_MAX_BYTES + 12000];
	const size_t header = PROXY_PROTOCOL_MAX_BYTES;

	take_proxies("192.0.2.0/24");
	add_route("host = {\"a.org\"}");
	make_router();
	memset(bytes, 'x', sizeof bytes);
	memcpy(bytes, head, sizeof head - 1);
	memcpy(bytes + header, begin, sizeof begin - 1);
	memcpy(bytes + sizeof bytes - (sizeof end - 1), end, sizeof end - 1);
	ck_assert_int_eq(adopt_memory_deliver(client("192.0.2.1:5"), bytes, sizeof bytes), 0);
	ck_assert_uint_eq(takers[0].built, 1);
	adopt_memory_advance(reactor, 0);
	ck_assert_uint_eq(takers[0].length, sizeof bytes - header);
	ck_assert(memcmp(takers[0].said, bytes + header, takers[0].length) == 0);
}
END_TEST

START_TEST(header_alone_is_enough_where_no_byte_is_needed)
{
	take_proxies("192.0.2.0/24");
	make_router();
	says(client("192.0.2.1:5"), "PROXY UNKNOWN\r\n");
	ck_assert_uint_eq(fallback.built, 1);
}
END_TEST

START_TEST(header_is_required_of_the_listed)
{
	take_proxies("192.0.2.0/24");
	make_router();
	says(client("192.0.2.1:5"), "GET / HTTP/1.1\r\n");
	client("192.0.2.2:5");
	adopt_memory_advance(reactor, 3000);
	adopt_memory_advance(reactor, 0);
	ck_assert_uint_eq(fallback.built, 0);
	ck_assert_uint_eq(adopt_reactor_connection_count(reactor), 0);
}
END_TEST

START_TEST(header_that_ends_early_closes)
{
	struct adopt_transport *one;

	take_proxies("192.0.2.0/24");
	make_router();
	one = client("192.0.2.1:5");
	says(one, "PROXY TC");
	ck_assert_int_eq(adopt_memory_deliver_eof(one), 0);
	adopt_memory_advance(reactor, 0);
	ck_assert_uint_eq(adopt_reactor_connection_count(reactor), 0);
	ck_assert_uint_eq(fallback.built, 0);
}
END_TEST

START_TEST(header_of_others_is_left_alone)
{
	struct adopt_transport *one;

	take_proxies("192.0.2.0/24");
	make_router();
	one = client("198.51.100.1:5");
	ck_assert_uint_eq(fallback.built, 1);
	says(one, "PROXY TCP4 203.0.113.9 198.51.100.7 1234 80\r\n");
	ck_said(&fallback, "PROXY TCP4 203.0.113.9 198.51.100.7 1234 80\r\n");
}
END_TEST

START_TEST(limits_count_until_the_handler_is_done)
{
	struct adopt_transport *one;

	settings.gate.max_per_source = 1;
	make_router();
	one = client("192.0.2.1:5");
	client("192.0.2.1:6");
	adopt_memory_advance(reactor, 0);
	ck_assert_uint_eq(fallback.built, 1);
	adopt_memory_lose(one, -ECONNRESET);
	adopt_memory_advance(reactor, 0);
	client("192.0.2.1:7");
	ck_assert_uint_eq(fallback.built, 2);
}
END_TEST

static struct roll_sight sight_of(struct roll_entry *entry)
{
	struct roll_sight sight;

	entry->ops->look(entry, &sight);
	return sight;
}

START_TEST(clients_are_listed_until_they_are_gone)
{
	struct adopt_transport *one, *two;
	struct roll_sight sight;
	struct roll_entry *entry;
	struct roll roll;

	roll_init(&roll, 0, 1);
	host.roll = &roll;
	add_route("starts-with = {\"SSH-\"}");
	make_router();
	one = client("192.0.2.7:1");
	sight = sight_of(roll_find(&roll, 1));
	ck_assert_str_eq(sight.kind, "stream");
	ck_assert_str_eq(sight.port, "test");
	ck_assert_ptr_null(sight.handler);
	ck_assert_int_eq(adopt_memory_deliver(one, "SSH-", 4), 0);
	adopt_memory_advance(reactor, 0);
	two = client("192.0.2.8:2");
	ck_assert_int_eq(adopt_memory_deliver(two, "GET ", 4), 0);
	adopt_transport_set_note(two, "noted");
	entry = roll_find(&roll, 1);
	sight = sight_of(entry);
	ck_assert_str_eq(sight.handler, "taker");
	ck_assert_uint_eq(sight.route, 1);
	ck_assert_uint_eq(sight.received, 4);
	ck_assert_ptr_null(sight.note);
	ck_assert_uint_eq(adopt_address_port(&sight.peer), 1);
	sight = sight_of(roll_next(entry));
	ck_assert_str_eq(sight.handler, "own");
	ck_assert_uint_eq(sight.route, 0);
	ck_assert_str_eq(sight.note, "noted");
	ck_assert_uint_eq(host.present, 2);

	entry->ops->abort(entry);
	adopt_memory_advance(reactor, 0);
	ck_assert_uint_eq(takers[0].lost, 1);
	ck_assert_uint_eq(roll.count, 1);
	ck_assert_uint_eq(host.present, 1);
	ck_assert_uint_eq(host.clients, 2);
	adopt_memory_lose(two, -ECONNRESET);
	adopt_memory_advance(reactor, 0);
	ck_assert_uint_eq(roll.count, 0);
}
END_TEST

START_TEST(idle_timeout_is_passed_on)
{
	settings.idle_timeout_ms = 1234;
	make_router();
	ck_assert_uint_eq(adopt_transport_idle_timeout(client("192.0.2.1:5")), 1234);
}
END_TEST

START_TEST(reactor_may_end_at_any_point)
{
	take_proxies("192.0.2.1");
	add_route("protocol = {tls}");
	make_router();
	client("192.0.2.1:5");
	says(client("192.0.2.2:5"), "\x16\x03");
	says(client("192.0.2.2:5"), "x");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("router");
	TCase *tests = tcase_create("streams");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, first_route_that_matches_takes_every_byte);
	tcase_add_test(tests, no_byte_is_awaited_where_none_is_needed);
	tcase_add_test(tests, all_conditions_must_hold);
	tcase_add_test(tests, silence_ends_at_the_sniff_timeout);
	tcase_add_test(tests, end_of_file_decides);
	tcase_add_test(tests, client_that_leaves_is_forgotten);
	tcase_add_test(tests, header_tells_the_peer);
	tcase_add_test(tests, header_and_opening_share_the_sniff_timeout);
	tcase_add_test(tests, opening_behind_a_long_header);
	tcase_add_test(tests, header_alone_is_enough_where_no_byte_is_needed);
	tcase_add_test(tests, header_is_required_of_the_listed);
	tcase_add_test(tests, header_that_ends_early_closes);
	tcase_add_test(tests, header_of_others_is_left_alone);
	tcase_add_test(tests, limits_count_until_the_handler_is_done);
	tcase_add_test(tests, clients_are_listed_until_they_are_gone);
	tcase_add_test(tests, idle_timeout_is_passed_on);
	tcase_add_test(tests, reactor_may_end_at_any_point);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
