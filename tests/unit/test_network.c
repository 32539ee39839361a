/* Networks: what they are written as, and who is in them. */
#include "fixture.h"
#include "routing/network.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *network, *address;
	bool inside;
} pairs[] = {
	{"10.0.0.0/8", "10.255.255.255:1", true},
	{"10.0.0.0/8", "11.0.0.0:1", false},
	{"192.0.2.128/25", "192.0.2.128:1", true},
	{"192.0.2.128/25", "192.0.2.127:1", false},
	{"192.0.2.1", "192.0.2.1:1", true},
	{"192.0.2.1", "192.0.2.2:1", false},
	{"192.0.2.1/32", "192.0.2.1:1", true},
	{"0.0.0.0/0", "192.0.2.1:1", true},
	{"0.0.0.0/0", "[::1]:1", false},
	{"0.0.0.0/0", "unix:/a", false},
	{"10.0.0.0/8", "[::ffff:10.1.2.3]:1", true},
	{"10.0.0.0/8", "[::ffff:11.1.2.3]:1", false},
	{"::/0", "[::ffff:10.1.2.3]:1", false},
	{"::/0", "10.1.2.3:1", false},
	{"::/0", "[2001:db8::1]:1", true},
	{"2001:db8::/32", "[2001:db8:ffff::1]:1", true},
	{"2001:db8::/32", "[2001:db9::1]:1", false},
	{"2001:db8:0:fff8::/61", "[2001:db8:0:ffff::1]:1", true},
	{"2001:db8:0:fff8::/61", "[2001:db8:0:fff7::1]:1", false},
	{"::1", "[::1]:1", true},
	{"::1", "[::2]:1", false},
	{"::1/128", "127.0.0.1:1", false},
	{"unix", "unix:/a", true},
	{"unix", "unix:@a", true},
	{"unix", "127.0.0.1:1", false},
};

START_TEST(contains)
{
	char problem[NETWORK_PROBLEM_SIZE] = "";
	struct adopt_address address;
	struct network network;

	ck_assert_msg(network_parse(pairs[_i].network, &network, problem) == 0, "%s", problem);
	ck_assert_int_eq(adopt_address_parse(pairs[_i].address, &address), 0);
	ck_assert_int_eq(network_contains(&network, &address), pairs[_i].inside);
}
END_TEST

static const struct {
	const char *a, *b;
	bool same;
} addresses[] = {
	{"192.0.2.1:80", "192.0.2.1:80", true},
	{"192.0.2.1:80", "[::ffff:192.0.2.1]:80", true},
	{"[::ffff:192.0.2.1]:80", "[::ffff:192.0.2.1]:80", true},
	{"192.0.2.1:80", "[::ffff:192.0.2.1]:81", false},
	{"192.0.2.1:80", "[::ffff:192.0.2.2]:80", false},
	{"192.0.2.1:80", "[::192.0.2.1]:80", false},
	{"[2001:db8::1]:80", "[2001:db8::1]:80", true},
	{"[2001:db8::1]:80", "192.0.2.1:80", false},
	{"unix:/a", "unix:/a", true},
	{"unix:/a", "unix:/b", false},
};

START_TEST(same_address)
{
	struct adopt_address a, b;

	ck_assert_int_eq(adopt_address_parse(addresses[_i].a, &a), 0);
	ck_assert_int_eq(adopt_address_parse(addresses[_i].b, &b), 0);
	ck_assert_int_eq(network_same_address(&a, &b), addresses[_i].same);
	ck_assert_int_eq(network_same_address(&b, &a), addresses[_i].same);
}
END_TEST

START_TEST(nobody_knows)
{
	char problem[NETWORK_PROBLEM_SIZE];
	struct adopt_address unknown = {0}, unnamed = {0};
	struct network network;

	unnamed.length = sizeof unnamed.name.any.sa_family;
	unnamed.name.any.sa_family = AF_UNIX;
	ck_assert_int_eq(network_parse("unix", &network, problem), 0);
	ck_assert(!network_contains(&network, &unknown));
	ck_assert(network_contains(&network, &unnamed));
	ck_assert_int_eq(network_parse("0.0.0.0/0", &network, problem), 0);
	ck_assert(!network_contains(&network, &unknown));
}
END_TEST

static const struct {
	const char *text, *hint;
} wrong[] = {
	{"10.0.0.1/8", "write 10.0.0.0/8"},
	{"192.0.2.129/25", "write 192.0.2.128/25"},
	{"1.2.3.4/0", "write 0.0.0.0/0"},
	{"2001:db8::1/32", "write 2001:db8::/32"},
	{"10.0.0.0/33", "from 0 to 32"},
	{"10.0.0.0/", "from 0 to 32"},
	{"10.0.0.0/8/8", "from 0 to 32"},
	{"10.0.0.0/-1", "from 0 to 32"},
	{"10.0.0.0/255.0.0.0", "from 0 to 32"},
	{"::/129", "from 0 to 128"},
	{"::ffff:10.0.0.0/104", "write 10.0.0.0/8"},
	{"::ffff:192.0.2.1", "write 192.0.2.1/32"},
	{"", "write it as"},
	{"/8", "write it as"},
	{"10/8", "write it as"},
	{"10.0.0.0 /8", "write it as"},
	{"10.0.0.0:80", "write it as"},
	{"[::1]", "write it as"},
	{"fe80::1%lo", "write it as"},
	{"example.org", "write it as"},
	{"unix:/a", "write it as"},
	{"2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000", "write it as"},
};

START_TEST(is_wrong)
{
	char problem[NETWORK_PROBLEM_SIZE] = "";
	struct network network = {.family = -1};

	ck_assert_int_eq(network_parse(wrong[_i].text, &network, problem), -EINVAL);
	ck_assert_msg(strstr(problem, wrong[_i].hint) != NULL, "%s", problem);
	ck_assert_int_eq(network.family, -1);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("network");

	tcase_add_loop_test(tests, contains, 0, sizeof pairs / sizeof pairs[0]);
	tcase_add_loop_test(tests, same_address, 0, sizeof addresses / sizeof addresses[0]);
	tcase_add_test(tests, nobody_knows);
	tcase_add_loop_test(tests, is_wrong, 0, sizeof wrong / sizeof wrong[0]);
	return run_case(tests, "network");
}
