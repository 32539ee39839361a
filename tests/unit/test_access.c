/* The access log: a line for each connection, when it has ended. */
#include "routing/access.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct adopt_reactor *reactor;
static struct adopt_transport *transport;
static int log_fd; /* where stderr goes */

static void heard(struct adopt_protocol *protocol, const void *data, size_t length)
{
	(void)protocol;
	(void)data;
	(void)length;
}

static void lost(struct adopt_protocol *protocol, int error)
{
	(void)error;
	free(protocol);
}

static const struct adopt_protocol_ops ops = {.data_received = heard, .connection_lost = lost};

static struct adopt_protocol *build(struct adopt_factory *factory, const struct adopt_address *peer)
{
	struct adopt_protocol *protocol = calloc(1, sizeof *protocol);

	(void)factory;
	(void)peer;
	ck_assert_ptr_nonnull(protocol);
	protocol->ops = &ops;
	return protocol;
}

static void setup(void)
{
	static const struct adopt_factory_ops factory_ops = {.build_protocol = build};
	static struct adopt_factory factory = {.ops = &factory_ops};
	char name[] = "/tmp/adoptd-access.XXXXXX";

	log_fd = mkstemp(name);
	ck_assert_int_ge(log_fd, 0);
	ck_assert_int_eq(unlink(name), 0);
	ck_assert_int_ge(dup2(log_fd, STDERR_FILENO), 0);
	ck_assert_int_eq(adopt_memory_reactor_new(&reactor), 0);
	ck_assert_int_eq(adopt_memory_transport_new(reactor, &factory, NULL, NULL, &transport), 0);
}

static void teardown(void)
{
	adopt_reactor_free(&reactor);
	close(log_fd);
}

static void assert_logged(const char *line)
{
	char text[1024] = "";

	adopt_memory_advance(reactor, 0);
	ck_assert_int_ge(pread(log_fd, text, sizeof text - 1, 0), 0);
	ck_assert_str_eq(text, line);
}

START_TEST(all_of_a_connection)
{
	struct access *access = access_begin(transport, "web");
	struct adopt_address peer;

	ck_assert_int_eq(adopt_address_parse("[2001:db8::1]:99", &peer), 0);
	access_set_peer(access, &peer);
	access_handled(access, 2, "proxy");
	adopt_memory_deliver(transport, "hello", 5);
	adopt_transport_write(transport, "bye", 3);
	adopt_memory_take(transport, 3);
	adopt_memory_advance(reactor, 1203);
	assert_logged("");
	adopt_transport_close(transport);
	assert_logged("adoptd: access port=\"web\" route=2 handler=proxy received=5 sent=3 "
		      "ms=1203 end=closed peer=[2001:db8::1]:99\n");
}
END_TEST

static const struct {
	int error;
	const char *end;
} ends[] = {
	{0, "closed"},           {-ECONNRESET, "reset"},     {-EPIPE, "reset"},
	{-ETIMEDOUT, "timeout"}, {-ECONNABORTED, "aborted"}, {-EHOSTUNREACH, "failed"},
};

START_TEST(why_it_ended)
{
	char line[256];

	access_handled(access_begin(transport, "p"), 0, "echo");
	adopt_memory_lose(transport, ends[_i].error);
	snprintf(line, sizeof line,
		 "adoptd: access port=\"p\" route=0 handler=echo received=0 sent=0 ms=0 end=%s "
		 "peer=192.0.2.2:1024\n",
		 ends[_i].end);
	assert_logged(line);
}
END_TEST

START_TEST(refused_before_a_handler)
{
	access_refused(access_begin(transport, "p"));
	adopt_transport_abort(transport);
	assert_logged("adoptd: access port=\"p\" route=0 handler=none received=0 sent=0 ms=0 "
		      "end=refused peer=192.0.2.2:1024\n");
}
END_TEST

START_TEST(those_that_adoptd_ends_with)
{
	char text[256] = "";

	access_begin(transport, "p");
	adopt_reactor_free(&reactor);
	ck_assert_int_gt(pread(log_fd, text, sizeof text - 1, 0), 0);
	ck_assert_ptr_nonnull(strstr(text, " end=stopped "));
}
END_TEST

START_TEST(nothing_is_a_line_too)
{
	access_set_peer(NULL, NULL);
	access_handled(NULL, 1, "echo");
	access_refused(NULL);
	adopt_transport_close(transport);
	assert_logged("");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("access");
	TCase *tests = tcase_create("access");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, all_of_a_connection);
	tcase_add_loop_test(tests, why_it_ended, 0, (int)(sizeof ends / sizeof ends[0]));
	tcase_add_test(tests, refused_before_a_handler);
	tcase_add_test(tests, those_that_adoptd_ends_with);
	tcase_add_test(tests, nothing_is_a_line_too);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
