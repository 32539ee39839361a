#include "support/dns_ttl.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A message with one question, `a.b`, and room for records. */
#define START(answers) "\x12\x34\x81\x80\0\1\0" answers "\0\0\0\0\1a\1b\0\0\41\0\1"
/* A record of the question's name, with `ttl` and two bytes of data. */
#define RECORD(ttl) "\xc0\x0c\0\41\0\1" ttl "\0\2xy"

#define MESSAGE(text) text, sizeof text - 1

static const struct {
	const char *data;
	size_t length;
	int error;
	uint32_t ttl;
} messages[] = {
	{MESSAGE(START("\1") RECORD("\0\0\0\x3c")), 0, 60},
	{MESSAGE(START("\2") RECORD("\0\1\0\0") RECORD("\0\0\1\0")), 0, 256},
	{MESSAGE(START("\2") RECORD("\0\0\1\0") RECORD("\0\1\0\0")), 0, 256},
	{MESSAGE(START("\1") RECORD("\x80\0\0\1")), 0, 0},
	{MESSAGE(START("\1") RECORD("\x7f\xff\xff\xff")), 0, INT32_MAX},
	{MESSAGE(START("\1") "\1a\1b\0\0\41\0\1\0\0\0\7\0\0"), 0, 7},
	{MESSAGE(START("\1") RECORD("\0\0\0\x3c") "more"), 0, 60},
	{MESSAGE(START("\0")), -EBADMSG, 0},
	{MESSAGE(START("\1")), -EBADMSG, 0},
	{MESSAGE(START("\2") RECORD("\0\0\0\x3c")), -EBADMSG, 0},
	{MESSAGE(START("\1") "\xc0"), -EBADMSG, 0},
	{MESSAGE(START("\1") "\x80\0\0\41\0\1\0\0\0\7\0\0"), -EBADMSG, 0},
	{MESSAGE(START("\1") "\77a"), -EBADMSG, 0},
	{MESSAGE(START("\1") "\0\0\41\0\1\0\0\0\7\0\1"), -EBADMSG, 0},
	{MESSAGE("\x12\x34\x81\x80\0\1\0\1\0\0\0"), -EBADMSG, 0},
	{MESSAGE(""), -EBADMSG, 0},
};

START_TEST(shortest_of_the_answers)
{
	uint32_t ttl = 4711;
	unsigned char *exact = malloc(messages[_i].length + !messages[_i].length);

	/* The sanitizer sees who reads past the end. */
	memcpy(exact, messages[_i].data, messages[_i].length);
	ck_assert_int_eq(dns_ttl(exact, messages[_i].length, &ttl), messages[_i].error);
	ck_assert_uint_eq(ttl, messages[_i].error ? 4711 : messages[_i].ttl);
	free(exact);
}
END_TEST

START_TEST(cut_short_is_refused)
{
	static const char whole[] = START("\2") RECORD("\0\0\1\0") RECORD("\0\1\0\0");

	for (size_t length = 0; length < sizeof whole - 1; length++) {
		uint32_t ttl = 4711;
		unsigned char *exact = malloc(length + !length);

		memcpy(exact, whole, length);
		ck_assert_int_eq(dns_ttl(exact, length, &ttl), -EBADMSG);
		ck_assert_uint_eq(ttl, 4711);
		free(exact);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dns_ttl");
	TCase *tests = tcase_create("messages");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, shortest_of_the_answers, 0,
			    sizeof messages / sizeof messages[0]);
	tcase_add_test(tests, cut_short_is_refused);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
