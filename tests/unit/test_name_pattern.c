/* Names and the patterns that they fit. */
#include "fixture.h"
#include "routing/name_pattern.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *pattern, *name;
	bool fits;
} pairs[] = {
	{"example.org", "example.org", true},
	{"example.org", "EXAMPLE.Org", true},
	{"EXAMPLE.org", "example.org", true},
	{"example.org", "example.org.", true},
	{"example.org.", "example.org", true},
	{"example.org", "example.org..", false},
	{"example.org", "www.example.org", false},
	{"example.org", "xexample.org", false},
	{"example.org", "example.or", false},
	{"example.org", "", false},
	{"example.org", ".", false},
	{"a@", "a`", false}, /* no letters, though they differ in that one bit */
	{"*.example.org", "www.example.org", true},
	{"*.example.org", "a.b.WWW.example.org.", true},
	{"*.example.org.", "www.example.org", true},
	{"*.example.org", "example.org", false},
	{"*.example.org", ".example.org", false},
	{"*.example.org", "wwwexample.org", false},
	{"*.example.org", "www.example.com", false},
	{"*.example.org", "", false},
	{"[2001:db8::1]", "[2001:DB8::1]", true},
	{"192.0.2.1", "192.0.2.1", true},
};

START_TEST(match)
{
	const char *name = pairs[_i].name;

	ck_assert_int_eq(name_pattern_match(pairs[_i].pattern, (const uint8_t *)name, strlen(name)),
			 pairs[_i].fits);
}
END_TEST

START_TEST(valid)
{
	static const char *const patterns[] = {"example.org", "*.example.org",   "example.org.",
					       "localhost",   "a_b.example.org", "192.0.2.1",
					       "[::1]",       "*.org",           "xn--4ca.org"};

	ck_assert_pstr_eq(name_pattern_problem(patterns[_i]), NULL);
}
END_TEST

static const struct {
	const char *pattern, *hint;
} wrong[] = {
	{"", "empty label"},
	{"*.", "empty label"},
	{".example.org", "empty label"},
	{"a..b", "empty label"},
	{".", "empty label"},
	{"*", "whole first label"},
	{"*example.org", "whole first label"},
	{"a.*.org", "whole first label"},
	{"*.*.org", "whole first label"},
	{"\xc3\xa4.org", "xn--"},
	{"example.org:443", "port"},
	{"::1", "brackets"},
	{"[]", "IPv6"},
	{"[::1", "IPv6"},
	{"[::1]:80", "IPv6"},
	{"a b", "character"},
	{"a/b", "character"},
};

START_TEST(is_wrong)
{
	const char *problem = name_pattern_problem(wrong[_i].pattern);

	ck_assert_ptr_nonnull(problem);
	ck_assert_msg(strstr(problem, wrong[_i].hint) != NULL, "%s", problem);
}
END_TEST

/* The longest name there is, and one letter more. */
START_TEST(longest)
{
	char pattern[256];

	memset(pattern, 'a', sizeof pattern);
	pattern[253] = '\0';
	ck_assert_pstr_eq(name_pattern_problem(pattern), NULL);
	pattern[253] = '.';
	pattern[254] = '\0';
	ck_assert_pstr_eq(name_pattern_problem(pattern), NULL);
	pattern[253] = 'a';
	ck_assert_ptr_nonnull(name_pattern_problem(pattern));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("name_pattern");

	tcase_add_loop_test(tests, match, 0, sizeof pairs / sizeof pairs[0]);
	tcase_add_loop_test(tests, valid, 0, 9);
	tcase_add_loop_test(tests, is_wrong, 0, sizeof wrong / sizeof wrong[0]);
	tcase_add_test(tests, longest);
	return run_case(tests, "name_pattern");
}
