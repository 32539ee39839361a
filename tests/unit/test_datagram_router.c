/* The datagram router on the memory reactor: a client's first datagram chooses for all
 * that follow. */
#include "routing/datagram_router.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* A handler that counts, answers, and has a session of everybody or of nobody. */
struct taker {
	struct adopt_datagram_protocol base;
	unsigned starts, stops, received;
	bool knows;
};

static void started(struct adopt_datagram_protocol *protocol)
{
	((struct taker *)protocol)->starts++;
	ck_assert_ptr_nonnull(protocol->port);
}

static void received(struct adopt_datagram_protocol *protocol,
		     const struct adopt_datagram *datagram)
{
	((struct taker *)protocol)->received++;
	ck_assert_int_eq(adopt_port_send(protocol->port, datagram->peer, "ok", 2), 0);
}

static void stopped(struct adopt_datagram_protocol *protocol)
{
	((struct taker *)protocol)->stops++;
}

static bool known(struct adopt_datagram_protocol *protocol, const struct adopt_datagram *datagram)
{
	(void)datagram;
	return ((struct taker *)protocol)->knows;
}

static const struct adopt_datagram_protocol_ops taker_ops = {
	.start = started,
	.datagram_received = received,
	.stop = stopped,
};

static struct adopt_reactor *reactor;
static struct router_settings settings;
static struct taker fallback, routed;
static cfg_t *tree;
static struct conditions *conditions;
static struct host host;
static struct ledger *ledger;
static struct datagram_router *router;
static struct adopt_port *port;

static void begin(const char *route_text)
{
	struct faults *faults;
	struct datagram_route routes[2] = {0};

	fallback = routed = (struct taker){.base.ops = &taker_ops};
	settings = (struct router_settings){.port_name = "test"};
	ck_assert_int_eq(adopt_memory_reactor_new(&reactor), 0);
	host_init(&host, reactor, NULL);
	ck_assert_int_eq(ledger_new(&ledger), 0);
	ck_assert_int_eq(faults_new(&faults), 0);
	tree = cfg_init((cfg_opt_t *)(uintptr_t)condition_options, CFGF_NONE);
	ck_assert_int_eq(cfg_parse_buf(tree, route_text), CFG_SUCCESS);
	ck_assert_int_eq(conditions_new(tree, faults, &conditions), 0);
	faults_free(&faults);
	routes[0] = (struct datagram_route){conditions, &routed.base, known};
	routes[1].protocol = &fallback.base;
	ck_assert_int_eq(datagram_router_new(&settings, routes, 1, &host, ledger, &router), 0);
	ck_assert_int_eq(adopt_datagram_port(reactor, 0, AF_INET, datagram_router_protocol(router),
					     0, &port),
			 0);
}

static void setup(void)
{
	begin("starts-with = {\"hi\"}");
}

static void setup_ends(void)
{
	begin("local = {\"192.0.2.1:80\"} source = {\"198.51.100.0/24\"}");
}

static void setup_user(void)
{
	begin("peer-uid = {\"0\"}");
}

static void teardown(void)
{
	adopt_reactor_free(&reactor);
	ck_assert_uint_eq(fallback.stops, 1);
	ck_assert_uint_eq(routed.stops, 1);
	ck_assert_uint_eq(host.work, 0);
	datagram_router_free(&router);
	ledger_free(&ledger);
	conditions_free(&conditions);
	cfg_free(tree);
}

static void comes(const char *from, const char *text)
{
	struct adopt_address peer;

	ck_assert_int_eq(adopt_address_parse(from, &peer), 0);
	adopt_memory_datagram(port, &peer, text, strlen(text));
}

START_TEST(first_datagram_chooses)
{
	const struct adopt_memory_sent *sent;

	ck_assert_uint_eq(fallback.starts + routed.starts, 2);
	comes("192.0.2.1:1", "hi");
	comes("192.0.2.1:1", "something else");
	comes("192.0.2.1:2", "something else");
	comes("192.0.2.1:2", "hi");
	comes("192.0.2.1:3", "h");
	ck_assert_uint_eq(routed.received, 2);
	ck_assert_uint_eq(fallback.received, 3);
	ck_assert_uint_eq(adopt_memory_sent(port, &sent), 5);
	ck_assert_uint_eq(adopt_address_port(&sent[2].to), 2);
}
END_TEST

START_TEST(silence_makes_a_new_client)
{
	comes("192.0.2.1:1", "hi");
	adopt_memory_advance(reactor, DATAGRAM_CLIENT_MS - 1);
	comes("192.0.2.1:1", "x");
	adopt_memory_advance(reactor, DATAGRAM_CLIENT_MS - 1);
	comes("192.0.2.1:1", "x");
	ck_assert_uint_eq(routed.received, 3);
	adopt_memory_advance(reactor, DATAGRAM_CLIENT_MS);
	comes("192.0.2.1:1", "x");
	ck_assert_uint_eq(fallback.received, 1);
}
END_TEST

START_TEST(session_is_not_torn)
{
	comes("192.0.2.1:1", "hi");
	adopt_memory_advance(reactor, DATAGRAM_CLIENT_MS);
	routed.knows = true;
	comes("192.0.2.1:1", "x");
	routed.knows = false;
	comes("192.0.2.1:1", "x");
	ck_assert_uint_eq(routed.received, 3);
	adopt_memory_advance(reactor, DATAGRAM_CLIENT_MS);
	comes("192.0.2.1:1", "x");
	ck_assert_uint_eq(fallback.received, 1);
}
END_TEST

START_TEST(longest_silent_makes_room)
{
	char from[32];

	comes("192.0.2.1:1", "hi");
	for (unsigned i = 0; i < DATAGRAM_CLIENTS_MAX; i++) {
		snprintf(from, sizeof from, "192.0.2.%u:%u", 2 + i / 1000, 1 + i % 1000);
		comes(from, "x");
	}
	comes("192.0.2.1:1", "x");
	ck_assert_uint_eq(routed.received, 1);
}
END_TEST

START_TEST(refused_sources_are_dropped)
{
	settings.gate.max_per_source = 1;
	ck_assert_int_eq(ledger_set_limits(ledger, &settings.gate), 0);
	comes("192.0.2.1:1", "hi");
	comes("192.0.2.1:2", "hi");
	comes("192.0.2.1:1", "hi");
	ck_assert_uint_eq(routed.received, 2);
}
END_TEST

START_TEST(both_ends_are_known)
{
	comes("198.51.100.1:1", "x");
	comes("192.0.2.1:1", "x");
	ck_assert_uint_eq(routed.received, 1);
	ck_assert_uint_eq(fallback.received, 1);
}
END_TEST

static void comes_to(const char *from, const char *to, const char *text)
{
	struct adopt_datagram_protocol *protocol = datagram_router_protocol(router);
	struct adopt_address peer, local;
	struct adopt_datagram datagram = {
		.peer = &peer, .local = &local, .data = text, .length = strlen(text)};

	ck_assert_int_eq(adopt_address_parse(from, &peer), 0);
	ck_assert_int_eq(adopt_address_parse(to, &local), 0);
	adopt_datagrams_tell(protocol, &datagram, 1);
}

/* Neighbours are passed on together, and each client is its own. */
START_TEST(several_clients_at_a_time)
{
	static const char *const texts[] = {"hi", "x", "x", "hi", "x"};
	static const unsigned ports[] = {1, 1, 2, 2, 1};
	struct adopt_address peers[5], local;
	struct adopt_datagram datagrams[5];
	const struct adopt_memory_sent *sent;

	ck_assert_int_eq(adopt_address_parse("192.0.2.1:80", &local), 0);
	for (unsigned i = 0; i < 5; i++) {
		ck_assert_int_eq(adopt_address_parse("192.0.2.9:1", &peers[i]), 0);
		peers[i].name.in.sin_port = htons((uint16_t)ports[i]);
		datagrams[i] = (struct adopt_datagram){.data = texts[i],
						       .length = strlen(texts[i]),
						       .peer = &peers[i],
						       .local = &local};
	}
	adopt_datagrams_tell(datagram_router_protocol(router), datagrams, 5);
	ck_assert_uint_eq(routed.received, 3);
	ck_assert_uint_eq(fallback.received, 2);
	ck_assert_uint_eq(adopt_memory_sent(port, &sent), 5);
	for (unsigned i = 0; i < 5; i++)
		ck_assert_uint_eq(adopt_address_port(&sent[i].to), ports[i]);
}
END_TEST

/* On a port that is bound to all addresses. */
START_TEST(who_asks_another_address_is_another_client)
{
	comes_to("198.51.100.1:1", "192.0.2.1:80", "x");
	comes_to("198.51.100.1:1", "192.0.2.9:80", "x");
	ck_assert_uint_eq(routed.received, 1);
	ck_assert_uint_eq(fallback.received, 1);
	comes_to("198.51.100.1:1", "192.0.2.1:80", "x");
	ck_assert_uint_eq(routed.received, 2);
}
END_TEST

/* A block with such a route may have datagram sockets besides. */
START_TEST(nobody_knows_the_user)
{
	comes("192.0.2.1:1", "x");
	ck_assert_uint_eq(fallback.received, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("datagram_router");
	TCase *tests = tcase_create("datagrams"), *ends = tcase_create("ends");
	TCase *user = tcase_create("user");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, first_datagram_chooses);
	tcase_add_test(tests, several_clients_at_a_time);
	tcase_add_test(tests, silence_makes_a_new_client);
	tcase_add_test(tests, session_is_not_torn);
	tcase_add_test(tests, longest_silent_makes_room);
	tcase_add_test(tests, refused_sources_are_dropped);
	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(ends, setup_ends, teardown);
	tcase_add_test(ends, both_ends_are_known);
	tcase_add_test(ends, who_asks_another_address_is_another_client);
	suite_add_tcase(suite, ends);
	tcase_add_checked_fixture(user, setup_user, teardown);
	tcase_add_test(user, nobody_knows_the_user);
	suite_add_tcase(suite, user);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
