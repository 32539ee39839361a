/* What a reload leaves as it is, and which worker adopts which descriptor. */
#include "daemon/setup.h"

#include "handlers/exec.h"
#include "harness.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct faults *faults;
static struct inherited_list list;
static struct ledgers ledgers;
static const struct listen_set none;
static struct setup *before, *after;

static void set_up(void)
{
	ck_assert_int_eq(faults_new(&faults), 0);
}

static void tear_down(void)
{
	setup_unref(&after);
	setup_unref(&before);
	ledgers_done(&ledgers);
	inherited_free(&list);
	faults_free(&faults);
}

static int bound(int type, unsigned port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port),
	};
	int fd = socket(AF_INET, type, 0), on = 1;

	ck_assert_int_ge(fd, 3);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

static unsigned port_of(int fd)
{
	struct sockaddr_in address;
	socklen_t length = sizeof address;

	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	return ntohs(address.sin_port);
}

static int give(const char *name, int type, unsigned port)
{
	int fd = bound(type, port);

	ck_assert_int_eq(inherited_add(&list, name, fd, "test"), 0);
	return fd;
}

static void make(const char *text, const struct setup *replaced, struct setup **ret)
{
	struct setup_order order = {
		.inherited = &list,
		.opened = replaced ? &replaced->plan->opened : &none,
		.ledgers = &ledgers,
		.before = replaced,
	};

	ck_assert_int_eq(config_read(NULL, text, faults, &order.config), 0);
	ck_assert_int_eq(setup_new(&order, faults, ret), 0);
}

static void reload(const char *from, const char *to)
{
	make(from, NULL, &before);
	make(to, before, &after);
}

/* --- what stays the same --- */

#define WEB "port web { echo {} }\n"
#define DNS "port dns { max-connections = 7 discard {} }\n"

START_TEST(first_setup_is_new)
{
	give("web", SOCK_STREAM, 0);
	make(WEB, NULL, &before);
	ck_assert_uint_eq(before->same[0], SETUP_NEW);
}
END_TEST

START_TEST(order_and_layout_do_not_matter)
{
	give("web", SOCK_STREAM, 0);
	give("dns", SOCK_STREAM, 0);
	reload(WEB DNS, "# a comment\n" DNS "log-level = debug\n\n" WEB);
	ck_assert_uint_eq(after->same[0], 1);
	ck_assert_uint_eq(after->same[1], 0);
	ck_assert_ptr_eq(after->ledgers[0], before->ledgers[1]);
}
END_TEST

START_TEST(an_option_makes_another_block)
{
	give("web", SOCK_STREAM, 0);
	give("dns", SOCK_STREAM, 0);
	reload(WEB DNS, WEB "port dns { max-connections = 8 discard {} }\n");
	ck_assert_uint_eq(after->same[0], 0);
	ck_assert_uint_eq(after->same[1], SETUP_NEW);
	ck_assert_ptr_eq(after->ledgers[1], before->ledgers[1]);
}
END_TEST

START_TEST(access_log_is_part_of_every_block)
{
	give("web", SOCK_STREAM, 0);
	reload(WEB, "access-log = true\n" WEB);
	ck_assert_uint_eq(after->same[0], SETUP_NEW);
}
END_TEST

START_TEST(what_reads_files_is_read_again)
{
	give("web", SOCK_STREAM, 0);
	reload("port web { qotd {} }\n", "port web { qotd {} }\n");
	ck_assert_uint_eq(after->same[0], SETUP_NEW);
}
END_TEST

START_TEST(descriptors_are_part_of_a_block)
{
	give("web", SOCK_STREAM, 0);
	give("web", SOCK_DGRAM, 0);
	reload(WEB, "port \"web#0\" { discard {} }\n" WEB);
	ck_assert_uint_eq(after->same[0], SETUP_NEW);
	ck_assert_uint_eq(after->same[1], SETUP_NEW);
}
END_TEST

START_TEST(listen_addresses_stay_open)
{
	reload("port a { listen = {\"127.0.0.1:0\"} echo {} }\n",
	       "port a { listen = {\"127.0.0.1:0\"} echo {} }\n"
	       "port b { listen = {\"udp:127.0.0.1:0\"} echo {} }\n");
	ck_assert_uint_eq(after->same[0], 0);
	ck_assert_int_eq(after->plan->entries[0].fd, before->plan->entries[0].fd);
	/* Those of one setup alone end with it. */
	plan_close_ports(before->plan);
	ck_assert_uint_ne(port_of(after->plan->entries[0].fd), 0);
}
END_TEST

/* --- what goes on counting --- */

static struct slots *processes(const struct handler_settings *settings)
{
	ck_assert_ptr_eq(settings->handler, &handler_exec);
	return ((const struct exec_settings *)settings)->processes;
}

#define CAT(MAX) "exec { command = {\"/bin/cat\"} max-processes = " MAX " }"
#define ROUTE(MAX) "route { starts-with = {\"a\"} " CAT(MAX) " }"

START_TEST(processes_of_the_block_before_count)
{
	struct slots *own, *routes;

	give("web", SOCK_STREAM, 0);
	reload("port web { " ROUTE("1") CAT("2") " }\n", "port web { " ROUTE("2") CAT("1") " }\n");
	own = processes(before->config->ports[0].settings);
	routes = processes(before->config->ports[0].routes[0].settings);
	setup_succeed(before, NULL);
	ck_assert(slots_take(own));
	ck_assert(slots_take(routes) && !slots_take(routes));
	setup_succeed(after, before);
	ck_assert_ptr_eq(processes(after->config->ports[0].settings), own);
	ck_assert_ptr_eq(processes(after->config->ports[0].routes[0].settings), routes);
	ck_assert(!slots_take(own));
	ck_assert(slots_take(routes));
	/* A reload that fails after all. */
	setup_succeed(before, NULL);
	ck_assert(slots_take(own));
	setup_unref(&after);
	slots_give(own);
	slots_give(own);
	slots_give(routes);
	slots_give(routes);
	ck_assert_uint_eq(slots_used(own) + slots_used(routes), 0);
}
END_TEST

START_TEST(processes_of_another_block_do_not_count)
{
	give("web", SOCK_STREAM, 0);
	give("dns", SOCK_STREAM, 0);
	reload("port web { " CAT("1") " }\nport dns { echo {} }\n",
	       "port web { " ROUTE("1") " echo {} }\nport dns { " CAT("1") " }\n");
	ck_assert(slots_take(processes(before->config->ports[0].settings)));
	setup_succeed(after, before);
	ck_assert(slots_take(processes(after->config->ports[0].routes[0].settings)));
	ck_assert(slots_take(processes(after->config->ports[1].settings)));
}
END_TEST

/* --- which worker --- */

static void assert_workers(size_t entry, unsigned workers, const char *expected)
{
	char found[8] = "";

	for (unsigned i = 0; i < workers; i++)
		strcat(found, setup_is_for(before, entry, i, workers) ? "x" : ".");
	ck_assert_str_eq(found, expected);
}

START_TEST(a_socket_is_for_all_workers)
{
	give("web", SOCK_STREAM, 0);
	make(WEB, NULL, &before);
	assert_workers(0, 1, "x");
	assert_workers(0, 3, "xxx");
	ck_assert(setup_is_shared(before, 0, 3));
	ck_assert(!setup_is_shared(before, 0, 1));
}
END_TEST

START_TEST(siblings_go_one_to_a_worker)
{
	unsigned port = port_of(give("web", SOCK_STREAM, 0));

	give("web", SOCK_STREAM, 0);
	give("web", SOCK_STREAM, port);
	give("web", SOCK_STREAM, port);
	make(WEB, NULL, &before);
	assert_workers(0, 3, "x..");
	assert_workers(1, 3, "xxx");
	assert_workers(2, 3, ".x.");
	assert_workers(3, 3, "..x");
	ck_assert(!setup_is_shared(before, 0, 3));
	/* More than workers, and fewer. */
	assert_workers(0, 2, "x.");
	assert_workers(2, 2, ".x");
	assert_workers(3, 2, "x.");
	assert_workers(0, 5, "x..x.");
	assert_workers(2, 5, ".x..x");
	assert_workers(3, 5, "..x..");
	ck_assert(setup_is_shared(before, 0, 5));
}
END_TEST

START_TEST(datagram_sockets_take_turns)
{
	for (int i = 0; i < 3; i++)
		give("web", SOCK_DGRAM, 0);
	make(WEB, NULL, &before);
	assert_workers(0, 2, "x.");
	assert_workers(1, 2, ".x");
	assert_workers(2, 2, "x.");
	ck_assert(!setup_is_shared(before, 0, 2));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("setup");
	TCase *tests = tcase_create("setup");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, first_setup_is_new);
	tcase_add_test(tests, order_and_layout_do_not_matter);
	tcase_add_test(tests, an_option_makes_another_block);
	tcase_add_test(tests, access_log_is_part_of_every_block);
	tcase_add_test(tests, what_reads_files_is_read_again);
	tcase_add_test(tests, descriptors_are_part_of_a_block);
	tcase_add_test(tests, listen_addresses_stay_open);
	tcase_add_test(tests, processes_of_the_block_before_count);
	tcase_add_test(tests, processes_of_another_block_do_not_count);
	tcase_add_test(tests, a_socket_is_for_all_workers);
	tcase_add_test(tests, siblings_go_one_to_a_worker);
	tcase_add_test(tests, datagram_sockets_take_turns);
	suite_add_tcase(suite, tests);
	return harness_main(suite);
}
