/* Names asked of a name server in the same loop. */
#include "support/lookup.h"

#include "harness.h"
#include "name_server.h"

#include <errno.h>
#include <stdlib.h>

static const struct name_record records[] = {
	{"both.test", "A", 30, "192.0.2.1"},
	{"both.test", "AAAA", 20, "2001:db8::1"},
	{"both.test", "A", 30, "192.0.2.2"},
	{"_web._tcp.both.test", "SRV", 10, "1 3 81 both.test"},
	{"_web._tcp.both.test", "SRV", 10, "2 0 82 four.test"},
	{"_web._tcp.both.test", "SRV", 10, "2 7 83 gone.test"},
	{"_none._tcp.both.test", "SRV", 10, "0 0 0 ."},
	{"four.test", "A", 40, "192.0.2.4"},
	{"empty.test", "SRV", 10, "0 0 1 x"},
	{NULL, NULL, 0, NULL},
};

static struct name_server server;
static struct lookup *lookup;

/* What came. */
static unsigned answers;
static int error;
static struct lookup_address found[16];
static size_t count;
static uint64_t ttl_ms;

static void done(void *context, int result, const struct lookup_answer *answer)
{
	ck_assert_ptr_eq(context, &server);
	lookup = NULL;
	answers++;
	error = result;
	count = answer->count;
	ttl_ms = answer->ttl_ms;
	ck_assert_uint_le(count, 16);
	for (size_t i = 0; i < count; i++)
		found[i] = answer->addresses[i];
}

static void begin(const char *name)
{
	struct endpoint endpoint;
	unsigned before = answers;

	ck_assert_int_eq(endpoint_parse(name, &endpoint), 0);
	ck_assert_int_eq(
		lookup_begin(loop, &endpoint, SOCK_STREAM, server.address, done, &server, &lookup),
		0);
	memset(&endpoint, 0xff, sizeof endpoint);
	ck_assert_uint_eq(answers, before);
}

static void look(const char *name)
{
	begin(name);
	RUN_UNTIL(!lookup);
	ck_assert_uint_eq(answers, 1);
}

static const struct lookup_address *among_found(const char *text)
{
	struct adopt_address address;

	ck_assert_int_eq(adopt_address_parse(text, &address), 0);
	for (size_t i = 0; i < count; i++)
		if (adopt_address_equal(&found[i].address, &address))
			return &found[i];
	ck_abort_msg("%s was not found", text);
}

static void setup(void)
{
	name_server_start(&server, records);
}

START_TEST(all_addresses_of_both_families)
{
	look("both.test:80");
	ck_assert_int_eq(error, 0);
	ck_assert_uint_eq(count, 3);
	ck_assert_uint_eq(among_found("192.0.2.1:80")->priority, 0);
	ck_assert_uint_eq(among_found("192.0.2.2:80")->weight, 1);
	among_found("[2001:db8::1]:80");
	ck_assert_uint_eq(ttl_ms, 20000);
}
END_TEST

START_TEST(service_has_ports_priorities_and_weights)
{
	look("srv:_web._tcp.both.test");
	ck_assert_int_eq(error, 0);
	/* The target that does not exist costs nothing else. */
	ck_assert_uint_eq(count, 4);
	ck_assert_uint_eq(among_found("192.0.2.1:81")->priority, 1);
	ck_assert_uint_eq(among_found("192.0.2.1:81")->weight, 3);
	ck_assert_uint_eq(among_found("[2001:db8::1]:81")->weight, 3);
	ck_assert_uint_eq(among_found("192.0.2.4:82")->priority, 2);
	ck_assert_uint_eq(among_found("192.0.2.4:82")->weight, 1);
	ck_assert_uint_eq(ttl_ms, 10000);
}
END_TEST

static const struct {
	const char *name;
	int error;
} nothing[] = {
	{"nowhere.test:80", -EHOSTUNREACH},
	{"empty.test:80", -EHOSTUNREACH},
	{"srv:_web._tcp.nowhere.test", -EHOSTUNREACH},
	{"srv:_none._tcp.both.test", -EHOSTUNREACH},
};

START_TEST(nothing_there)
{
	look(nothing[_i].name);
	ck_assert_int_eq(error, nothing[_i].error);
	ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(failing_server_is_not_an_answer)
{
	server.broken = true;
	look("both.test:80");
	ck_assert_int_eq(error, -EAGAIN);
}
END_TEST

START_TEST(silent_server_is_asked_again)
{
	server.silent = true;
	begin("both.test:80");
	RUN_UNTIL(server.asked > 3);
	server.silent = false;
	RUN_UNTIL(!lookup);
	ck_assert_int_eq(error, 0);
	ck_assert_uint_eq(count, 3);
}
END_TEST

START_TEST(given_up_is_not_told)
{
	unsigned before = open_descriptors();

	server.silent = true;
	begin("both.test:80");
	RUN_UNTIL(server.asked > 0);
	assert_new_close_on_exec();
	lookup_cancel(&lookup);
	ck_assert_ptr_null(lookup);
	lookup_cancel(&lookup);
	settle();
	ck_assert_uint_eq(answers, 0);
	ck_assert_uint_eq(open_descriptors(), before);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lookup");
	TCase *tests = harness_case("lookup");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, all_addresses_of_both_families);
	tcase_add_test(tests, service_has_ports_priorities_and_weights);
	tcase_add_loop_test(tests, nothing_there, 0, sizeof nothing / sizeof nothing[0]);
	tcase_add_test(tests, failing_server_is_not_an_answer);
	tcase_add_test(tests, silent_server_is_asked_again);
	tcase_add_test(tests, given_up_is_not_told);
	suite_add_tcase(suite, tests);
	return harness_main(suite);
}
