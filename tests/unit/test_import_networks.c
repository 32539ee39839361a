/* The addresses of xinetd's only_from and no_access. */
#include "adoptctl/networks.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct words found;

static void teardown(void)
{
	words_done(&found);
}

static const struct {
	const char *word;
	const char *networks; /* divided by blanks */
} pairs[] = {
	{"192.0.2.7", "192.0.2.7"},
	{"192.0.2.0", "192.0.2.0/24"},
	{"192.1.0.0", "192.1.0.0/16"},
	{"192.0.0.0", "192.0.0.0/8"},
	{"10.0.0.0", "10.0.0.0/8"},
	{"0.0.0.0", "0.0.0.0/0"},
	{"10.0.0.7", "10.0.0.7"},
	{"10.0.2.0", "10.0.2.0/24"},
	{"192.0.2.0/25", "192.0.2.0/25"},
	{"192.0.2.200/25", "192.0.2.128/25"},
	{"192.0.2.200/32", "192.0.2.200"},
	{"192.0.2.0/32", "192.0.2.0/32"},
	{"1.2.3.4/0", "0.0.0.0/0"},
	{"2001:db8::1", "2001:db8::1"},
	{"2001:db8::", "2001:db8::"},
	{"2001:db8::1/32", "2001:db8::/32"},
	{"2001:db8:ff::/33", "2001:db8::/33"},
	{"::/0", "::/0"},
	{"::", "::"},
	{"::ffff:192.0.2.7", "192.0.2.7"},
	{"::ffff:192.0.2.0/120", "192.0.2.0/24"},
	{"::ffff:0:0/96", "0.0.0.0/0"},
	{"::ffff:0:0/95", "::fffe:0:0/95"},
	{"192.0.{2,4}", "192.0.2.0/24 192.0.4.0/24"},
	{"192.0.2.{1,2,255}", "192.0.2.1 192.0.2.2 192.0.2.255"},
	{"192.0.2.{0}", "192.0.2.0/32"},
	{"{10,11}", "10.0.0.0/8 11.0.0.0/8"},
	{"localhost", "127.0.0.1 ::1"},
};

START_TEST(network)
{
	struct words expected = {0};

	ck_assert_int_eq(networks_add(&found, pairs[_i].word), 0);
	ck_assert_int_eq(
		words_split(&expected, pairs[_i].networks, strlen(pairs[_i].networks), false), 0);
	ck_assert_uint_eq(found.count, expected.count);
	for (size_t i = 0; i < found.count; i++)
		ck_assert_str_eq(found.items[i], expected.items[i]);
	words_done(&expected);
}
END_TEST

/* What has become a network stays the same one. */
START_TEST(network_again)
{
	struct words again = {0};

	ck_assert_int_eq(networks_add(&found, pairs[_i].word), 0);
	for (size_t i = 0; i < found.count; i++)
		ck_assert_int_eq(networks_add(&again, found.items[i]), 0);
	ck_assert(words_equal(&found, &again));
	words_done(&again);
}
END_TEST

static const char *const others[] = {
	"",
	"host",
	"host.example.org",
	".example.org",
	"10",
	"10.1",
	"1.2.3.4.5",
	"1.2.3.256",
	"1.2.3.4/33",
	"1.2.3.4/",
	"1.2.3.4/x",
	"1.2.3.4/-1",
	"::1/129",
	"10/8",
	"/8",
	"::1/",
	"1.2.3.4/24/1",
	"{}",
	"1.2.{}",
	"1.2.{3",
	"1.2.{3,}",
	"1.2.{,3}",
	"1.2.{3,4}x",
	"1.2.{3 ,4}",
	"1.2.{256}",
	"1..{3}",
	"1.2.3.4.{5}",
	"1.2.3.4{5}",
	"1.2.{3,4}/24",
	"a.{1}",
	"1.{2.{3}}",
	"1.2.{03333}",
	"::{1}",
	"1.2.3.0/255.0",
	"1.2.3.4/024x",
};

START_TEST(no_network)
{
	ck_assert_int_eq(networks_add(&found, others[_i]), -EINVAL);
	ck_assert_uint_eq(found.count, 0);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])

int main(void)
{
	Suite *suite = suite_create("import_networks");
	TCase *tests = tcase_create("import_networks");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, NULL, teardown);
	tcase_add_loop_test(tests, network, 0, COUNT(pairs));
	tcase_add_loop_test(tests, network_again, 0, COUNT(pairs));
	tcase_add_loop_test(tests, no_network, 0, COUNT(others));
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
