/* What `starts-with` is written as, and what starts with it. */
#include "fixture.h"
#include "routing/prefix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BYTES(text) text, sizeof text - 1

static const struct {
	const char *text;
	const char *bytes;
	size_t length;
} right[] = {
	{"SSH-", BYTES("SSH-")},
	{"\\x16\\x03", BYTES("\x16\x03")},
	{"\\xfF\\x00", BYTES("\xff\0")},
	{"a\\r\\n\\t\\0\\\\b", BYTES("a\r\n\t\0\\b")},
	{"\\x414", BYTES("A4")},
	{"\\00", BYTES("\0"
		       "0")},
	{"\r\n\xff", BYTES("\r\n\xff")},
};

static struct prefix prefix;

static enum verdict judge_prefix(const uint8_t *data, size_t length, size_t *ret_needed)
{
	return prefix_match(&prefix, data, length, ret_needed);
}

START_TEST(is_right)
{
	char problem[PREFIX_PROBLEM_SIZE] = "";
	uint8_t longer[64];

	ck_assert_msg(prefix_parse(right[_i].text, &prefix, problem) == 0, "%s", problem);
	ck_assert_uint_eq(prefix.length, right[_i].length);
	ck_assert_mem_eq(prefix.bytes, right[_i].bytes, prefix.length);

	memset(longer, 'x', sizeof longer);
	memcpy(longer, right[_i].bytes, prefix.length);
	ck_assert_int_eq(judge_all(judge_prefix, prefix.length, longer, sizeof longer),
			 VERDICT_MATCH);
	ck_assert_uint_eq(decided_at(judge_prefix, longer, sizeof longer), prefix.length);
	for (size_t i = 0; i < prefix.length; i++) {
		longer[i] ^= 1;
		ck_assert_int_eq(judge_all(judge_prefix, prefix.length, longer, sizeof longer),
				 VERDICT_NO);
		ck_assert_uint_eq(decided_at(judge_prefix, longer, sizeof longer), i + 1);
		longer[i] ^= 1;
	}
}
END_TEST

static const struct {
	const char *text, *hint;
} wrong[] = {
	{"", "empty"},         {"\\", "no escape"},    {"a\\q", "\\q"},
	{"\\x", "no escape"},  {"\\x1", "no escape"},  {"\\x1g", "\\x1g"},
	{"\\xg1", "two hexa"}, {"\\X41", "no escape"}, {"\\101", "no escape"},
};

START_TEST(is_wrong)
{
	char problem[PREFIX_PROBLEM_SIZE] = "";

	prefix.length = 4711;
	ck_assert_int_eq(prefix_parse(wrong[_i].text, &prefix, problem), -EINVAL);
	ck_assert_msg(strstr(problem, wrong[_i].hint) != NULL, "%s", problem);
	ck_assert_uint_eq(prefix.length, 4711);
}
END_TEST

START_TEST(longest)
{
	char problem[PREFIX_PROBLEM_SIZE], text[PREFIX_MAX_BYTES + 2];

	memset(text, 'a', sizeof text);
	text[PREFIX_MAX_BYTES] = '\0';
	ck_assert_int_eq(prefix_parse(text, &prefix, problem), 0);
	ck_assert_uint_eq(prefix.length, PREFIX_MAX_BYTES);
	text[PREFIX_MAX_BYTES] = 'a';
	text[PREFIX_MAX_BYTES + 1] = '\0';
	ck_assert_int_eq(prefix_parse(text, &prefix, problem), -EINVAL);
	ck_assert_ptr_nonnull(strstr(problem, "256"));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("prefix");

	tcase_add_loop_test(tests, is_right, 0, sizeof right / sizeof right[0]);
	tcase_add_loop_test(tests, is_wrong, 0, sizeof wrong / sizeof wrong[0]);
	tcase_add_test(tests, longest);
	return run_case(tests, "prefix");
}
