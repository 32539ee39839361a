/* A client's way to an upstream that has a name: on the real reactor, with a name server
 * beside it. What needs no names is tested by test_proxy.c on the memory reactor. */
#include "handlers/dial.h"

#include "harness.h"
#include "name_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct name_record records[] = {
	{"slow.test", "A", 1, "127.0.0.1"},
	{"slow.test", "AAAA", 1, "::1"},
	{"one.test", "A", 1, "127.0.0.1"},
	{NULL, NULL, 0, NULL},
};

static struct name_server server;
static struct endpoint endpoint;
static struct health_book *health;
static struct upstreams *upstreams;
static struct dial_queue queue;
static struct dial *dial;
static unsigned made, lost, failed;
static int failure;
static struct adopt_transport *connected;

static void connection_made(struct adopt_protocol *protocol)
{
	made++;
	connected = protocol->transport;
	ck_assert_ptr_nonnull(dial_upstream(dial));
}

static void data_received(struct adopt_protocol *protocol, const void *data, size_t length)
{
	(void)protocol;
	(void)data;
	(void)length;
}

static void connection_lost(struct adopt_protocol *protocol, int error)
{
	(void)protocol;
	(void)error;
	lost++;
}

static const struct adopt_protocol_ops ops = {
	.connection_made = connection_made,
	.data_received = data_received,
	.connection_lost = connection_lost,
};
static struct adopt_protocol protocol = {.ops = &ops};

static void dial_failed(void *context, int error)
{
	(void)context;
	failed++;
	failure = error;
	dial_free(&dial);
}

static int listener_at(const char *text)
{
	struct adopt_address address;

	ck_assert_int_eq(adopt_address_parse(text, &address), 0);
	return bound_socket(SOCK_STREAM, &address);
}

/* A listener on one port of both families; what is in its way is tried again. */
static unsigned listen_both(int *four, int *six)
{
	for (unsigned port = 20000 + next_random() % 20000;; port++) {
		struct adopt_address address;
		char text[32];

		snprintf(text, sizeof text, "[::1]:%u", port);
		ck_assert_int_eq(adopt_address_parse(text, &address), 0);
		*six = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
		*four = listener_at("127.0.0.1:0");
		close(*four);
		snprintf(text, sizeof text, "127.0.0.1:%u", port);
		if (bind(*six, &address.name.any, address.length) == 0) {
			ck_assert_int_eq(adopt_address_parse(text, &address), 0);
			*four = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
			if (bind(*four, &address.name.any, address.length) == 0)
				return port;
			close(*four);
		}
		close(*six);
	}
}

static void make_upstreams(const char *name, unsigned port)
{
	struct upstreams_settings settings = {
		.endpoints = &endpoint,
		.count = 1,
		.type = SOCK_STREAM,
		.health = health,
		.servers = server.address,
	};
	char text[64];

	snprintf(text, sizeof text, "%s:%u", name, port);
	ck_assert_int_eq(endpoint_parse(text, &endpoint), 0);
	ck_assert_int_eq(upstreams_new(loop, &settings, &upstreams), 0);
}

static void begin(uint64_t timeout_ms)
{
	const struct dial_order order = {
		.upstreams = upstreams,
		.reactor = loop,
		.type = SOCK_STREAM,
		.timeout_ms = timeout_ms,
		.queue = &queue,
		.protocol = &protocol,
		.failed = dial_failed,
	};

	ck_assert_int_eq(dial_begin(&order, &dial), 0);
}

static void end_connection(void)
{
	adopt_transport_abort(connected);
	RUN_UNTIL(lost == made);
}

static void setup(void)
{
	name_server_start(&server, records);
	ck_assert_int_eq(health_book_new(&health), 0);
	dial_queue_init(&queue, loop, 10);
}

static void teardown(void)
{
	dial_free(&dial);
	dial_queue_stop(&queue);
	if (upstreams)
		upstreams_free(&upstreams);
	health_book_close(&health);
}

/* Fills a listener that has no backlog: who comes now gets no answer. */
static void fill(int listener, int clients[2])
{
	struct adopt_address address = own_address(listener);

	ck_assert_int_eq(listen(listener, 0), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(adopt_socket_create(AF_INET6, SOCK_STREAM, &clients[i]), 0);
		(void)!connect(clients[i], &address.name.any, address.length);
	}
}

START_TEST(other_family_is_tried_beside_a_silent_one)
{
	int four, six, silent[2];
	unsigned port = listen_both(&four, &six);
	uint64_t before, took;

	fill(six, silent);
	ck_assert_int_eq(listen(four, 1), 0);
	make_upstreams("slow.test", port);
	before = adopt_reactor_now_ms(loop);
	begin(0);
	RUN_UNTIL(made == 1);
	took = adopt_reactor_now_ms(loop) - before;
	/* Not after a share of a timeout, of which there is none. */
	ck_assert_uint_lt(took, 5000);
	ck_assert_int_eq(adopt_address_family(&dial_upstream(dial)->address), AF_INET);
	end_connection();
	close(silent[0]);
	close(silent[1]);
	close(four);
	close(six);
}
END_TEST

START_TEST(refused_address_is_followed_by_the_next_at_once)
{
	int four, six;
	unsigned port = listen_both(&four, &six);

	ck_assert_int_eq(listen(four, 1), 0);
	close(six);
	make_upstreams("slow.test", port);
	begin(0);
	RUN_UNTIL(made == 1);
	ck_assert_int_eq(adopt_address_family(&dial_upstream(dial)->address), AF_INET);
	end_connection();
	close(four);
}
END_TEST

START_TEST(name_that_appears_late_is_met)
{
	int listener = listener_at("127.0.0.1:0");
	struct adopt_address address = own_address(listener);

	records[2].name = "other.test";
	make_upstreams("one.test", adopt_address_port(&address));
	begin(0);
	RUN_UNTIL(server.asked >= 4);
	ck_assert_uint_eq(made + failed, 0);
	records[2].name = "one.test";
	RUN_UNTIL(made == 1);
	end_connection();
	close(listener);
}
END_TEST

START_TEST(address_of_a_name_changes)
{
	int first = listener_at("127.0.0.1:0"), second;
	struct adopt_address address = own_address(first);
	char text[32];

	snprintf(text, sizeof text, "127.0.0.2:%u", adopt_address_port(&address));
	second = listener_at(text);
	make_upstreams("one.test", adopt_address_port(&address));
	begin(0);
	RUN_UNTIL(made == 1);
	end_connection();
	dial_free(&dial);
	records[2].data = "127.0.0.2";
	close(first);
	/* The old address is tried until its second is over. */
	begin(0);
	RUN_UNTIL(made == 2);
	address = own_address(second);
	assert_same_address(&dial_upstream(dial)->address, &address);
	end_connection();
	close(second);
}
END_TEST

START_TEST(nobody_to_say_ends_in_time)
{
	server.silent = true;
	make_upstreams("one.test", 80);
	begin(300);
	RUN_UNTIL(failed == 1);
	ck_assert_int_eq(failure, -EHOSTUNREACH);
}
END_TEST

START_TEST(given_up_while_names_are_asked)
{
	server.silent = true;
	make_upstreams("one.test", 80);
	begin(0);
	RUN_UNTIL(server.asked > 0);
	dial_free(&dial);
	upstreams_stop(upstreams);
	settle();
	ck_assert_uint_eq(made + failed, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dial");
	TCase *tests = harness_case("names");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, other_family_is_tried_beside_a_silent_one);
	tcase_add_test(tests, refused_address_is_followed_by_the_next_at_once);
	tcase_add_test(tests, name_that_appears_late_is_met);
	tcase_add_test(tests, address_of_a_name_changes);
	tcase_add_test(tests, nobody_to_say_ends_in_time);
	tcase_add_test(tests, given_up_while_names_are_asked);
	suite_add_tcase(suite, tests);
	return harness_main(suite);
}
