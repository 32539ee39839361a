#include "support/endpoint.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

static const struct {
	const char *text;
	int error;
} texts[] = {
	{"127.0.0.1:80", 0},
	{"[::1]:80", 0},
	{"unix:/run/x.sock", 0},
	{"unix:@x", 0},
	{"localhost:80", 0},
	{"a-b.example.org:65535", 0},
	{"", -EINVAL},
	{":80", -EINVAL},
	{"localhost", -EINVAL},
	{"localhost:", -EINVAL},
	{"localhost:0", -EINVAL},
	{"localhost:65536", -EINVAL},
	{"localhost:http", -EINVAL},
	{"127.0.0:80", -EINVAL},
	{"256.0.0.1:80", -EINVAL},
	{"::1:80", -EINVAL},
	{"-x:80", -EINVAL},
	{"a b:80", -EINVAL},
	{"http://x:80", -EINVAL},
	{"unix:", -EINVAL},
	{"vsock:2", -EINVAL},
	{"srv:_http._tcp.example.org", -EINVAL},
};

static const struct {
	const char *text;
	const char *name; /* NULL: refused */
} services[] = {
	{"srv:_http._tcp.example.org", "_http._tcp.example.org"},
	{"srv:_a-b._udp.x", "_a-b._udp.x"},
	{"srv:http._tcp.example.org", NULL},
	{"srv:_http.tcp.example.org", NULL},
	{"srv:_http._tcp", NULL},
	{"srv:_http._tcp.exam ple", NULL},
	{"srv:_http._tcp.example.org:80", NULL},
	{"srv:", NULL},
};

START_TEST(services_are_read)
{
	struct endpoint endpoint = {.port = 7};

	if (!services[_i].name) {
		ck_assert_int_eq(endpoint_parse(services[_i].text, &endpoint), -EINVAL);
		ck_assert_uint_eq(endpoint.port, 7);
		return;
	}
	ck_assert_int_eq(endpoint_parse(services[_i].text, &endpoint), 0);
	ck_assert_int_eq(endpoint.kind, ENDPOINT_SERVICE);
	ck_assert_str_eq(endpoint.name, services[_i].name);
}
END_TEST

START_TEST(texts_are_judged)
{
	ck_assert_msg(endpoint_check(texts[_i].text) == texts[_i].error, "%s", texts[_i].text);
}
END_TEST

START_TEST(numeric_is_itself)
{
	struct adopt_address expected, *found = NULL;
	size_t count = 0;

	ck_assert_int_eq(adopt_address_parse("192.0.2.7:53", &expected), 0);
	ck_assert_int_eq(endpoint_resolve("192.0.2.7:53", SOCK_DGRAM, &found, &count), 0);
	ck_assert_uint_eq(count, 1);
	ck_assert(adopt_address_equal(found, &expected));
	free(found);
}
END_TEST

START_TEST(localhost_is_found)
{
	struct adopt_address *found = NULL;
	size_t count = 0;

	ck_assert_int_eq(endpoint_resolve("localhost:53", SOCK_STREAM, &found, &count), 0);
	ck_assert_uint_ge(count, 1);
	for (size_t i = 0; i < count; i++)
		ck_assert_uint_eq(adopt_address_port(&found[i]), 53);
	free(found);
}
END_TEST

START_TEST(unknown_is_told_and_outputs_stay)
{
	struct adopt_address *found = NULL;
	size_t count = 7;
	int error = endpoint_resolve("nowhere.invalid:53", SOCK_STREAM, &found, &count);

	ck_assert(error == -EHOSTUNREACH || error == -EAGAIN);
	ck_assert_ptr_null(found);
	ck_assert_uint_eq(count, 7);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("endpoint");
	TCase *tests = tcase_create("endpoint");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, texts_are_judged, 0, sizeof texts / sizeof texts[0]);
	tcase_add_loop_test(tests, services_are_read, 0, sizeof services / sizeof services[0]);
	tcase_add_test(tests, numeric_is_itself);
	tcase_add_test(tests, localhost_is_found);
	tcase_add_test(tests, unknown_is_told_and_outputs_stay);
	tcase_set_timeout(tests, 30);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
