/* Durations, sizes, numbers, and the word that was probably meant. */
#include "support/value.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#define UNTOUCHED 4711

static const struct {
	const char *text;
	int result;
	uint64_t ms;
} durations[] = {
	{"0", 0, 0},
	{"0s", 0, 0},
	{"250ms", 0, 250},
	{"3s", 0, 3000},
	{"5m", 0, 300000},
	{"1h", 0, 3600000},
	{"8760h", 0, UINT64_C(31536000000)},
	{"8761h", -ERANGE, UNTOUCHED},
	{"31536000001ms", -ERANGE, UNTOUCHED},
	{"18446744073709551616s", -ERANGE, UNTOUCHED},
	{"5124095576030432h", -ERANGE, UNTOUCHED},
	{"", -EINVAL, UNTOUCHED},
	{"5", -EINVAL, UNTOUCHED},
	{"00", -EINVAL, UNTOUCHED},
	{"s", -EINVAL, UNTOUCHED},
	{"3 s", -EINVAL, UNTOUCHED},
	{" 3s", -EINVAL, UNTOUCHED},
	{"3s ", -EINVAL, UNTOUCHED},
	{"-3s", -EINVAL, UNTOUCHED},
	{"+3s", -EINVAL, UNTOUCHED},
	{"1.5s", -EINVAL, UNTOUCHED},
	{"3S", -EINVAL, UNTOUCHED},
	{"3d", -EINVAL, UNTOUCHED},
	{"0x10s", -EINVAL, UNTOUCHED},
	{"1h30m", -EINVAL, UNTOUCHED},
	{"18446744073709551616", -EINVAL, UNTOUCHED},
};

START_TEST(duration)
{
	uint64_t ms = UNTOUCHED;

	ck_assert_int_eq(value_duration(durations[_i].text, &ms), durations[_i].result);
	ck_assert_uint_eq(ms, durations[_i].ms);
}
END_TEST

static const struct {
	const char *text;
	int result;
	size_t bytes;
} sizes[] = {
	{"0", 0, 0},
	{"8192", 0, 8192},
	{"64K", 0, 65536},
	{"1M", 0, 1048576},
	{"2G", 0, (size_t)2 << 30},
	{"18446744073709551615", SIZE_MAX == UINT64_MAX ? 0 : -ERANGE,
	 SIZE_MAX == UINT64_MAX ? SIZE_MAX : UNTOUCHED},
	{"18446744073709551616", -ERANGE, UNTOUCHED},
	{"17179869184G", -ERANGE, UNTOUCHED},
	{"64k", -EINVAL, UNTOUCHED},
	{"64KB", -EINVAL, UNTOUCHED},
	{"K", -EINVAL, UNTOUCHED},
	{"", -EINVAL, UNTOUCHED},
	{"-1", -EINVAL, UNTOUCHED},
};

START_TEST(size)
{
	size_t bytes = UNTOUCHED;

	ck_assert_int_eq(value_size(sizes[_i].text, &bytes), sizes[_i].result);
	ck_assert_uint_eq(bytes, sizes[_i].bytes);
}
END_TEST

static const struct {
	const char *text;
	uint64_t min, max;
	int result;
	uint64_t number;
} numbers[] = {
	{"1", 1, 10, 0, 1},
	{"10", 1, 10, 0, 10},
	{"010", 1, 10, 0, 10},
	{"0", 1, 10, -ERANGE, UNTOUCHED},
	{"11", 1, 10, -ERANGE, UNTOUCHED},
	{"18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX},
	{"18446744073709551616", 0, UINT64_MAX, -ERANGE, UNTOUCHED},
	{"99999999999999999999999", 0, UINT64_MAX, -ERANGE, UNTOUCHED},
	{"", 0, 10, -EINVAL, UNTOUCHED},
	{"-1", 0, 10, -EINVAL, UNTOUCHED},
	{"1K", 0, 10, -EINVAL, UNTOUCHED},
	{"0x1", 0, 10, -EINVAL, UNTOUCHED},
};

START_TEST(number)
{
	uint64_t value = UNTOUCHED;

	ck_assert_int_eq(value_number(numbers[_i].text, numbers[_i].min, numbers[_i].max, &value),
			 numbers[_i].result);
	ck_assert_uint_eq(value, numbers[_i].number);
}
END_TEST

static const struct {
	const char *text;
	const char *suggestion;
} mistyped[] = {
	{"ehco", "echo"},
	{"ech", "echo"},
	{"echoo", "echo"},
	{"Echo", "echo"},
	{"log-lvl", "log-level"},
	{"log_level", "log-level"},
	{"upstraem", "upstream"},
	{"connect-timout", "connect-timeout"},
	{"discrad", "discard"},
	{"info", NULL},
	{"", NULL},
	{"x", NULL},
	{"completely-different", NULL},
	{"echoechoechoechoechoechoechoechoechoechoechoechoechoechoechoechoecho", NULL},
};

START_TEST(suggestion)
{
	static const char *const words[] = {"echo",     "discard",         "log-level",
					    "upstream", "connect-timeout", NULL};
	const char *found = value_suggest(mistyped[_i].text, words);

	ck_assert_pstr_eq(found, mistyped[_i].suggestion);
}
END_TEST

START_TEST(nearest_word_wins)
{
	static const char *const words[] = {"timeouts", "timeout", "time", NULL};

	ck_assert_str_eq(value_suggest("timeuot", words), "timeout");
	ck_assert_str_eq(value_suggest("tmie", words), "time");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("value");
	TCase *tests = tcase_create("value");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tests, duration, 0, sizeof durations / sizeof durations[0]);
	tcase_add_loop_test(tests, size, 0, sizeof sizes / sizeof sizes[0]);
	tcase_add_loop_test(tests, number, 0, sizeof numbers / sizeof numbers[0]);
	tcase_add_loop_test(tests, suggestion, 0, sizeof mistyped / sizeof mistyped[0]);
	tcase_add_test(tests, nearest_word_wins);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
