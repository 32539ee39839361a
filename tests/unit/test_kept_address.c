/* An address, kept in little room. */
#include "adopt/kept_address.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *const texts[] = {
	"127.0.0.1:80",
	"[2001:db8::1]:443",
	"unix:/",
	"unix:/short",
	"unix:@abstract",
	("unix:/a/path/that/is/as/long/as/a/path/of/a/socket/may/be/on/most/systems/"
	 "which/is/not/very/long/at/all/oh"),
};
#define TEXTS (sizeof texts / sizeof texts[0])

static struct adopt_address parsed(size_t index)
{
	struct adopt_address address;

	ck_assert_int_eq(adopt_address_parse(texts[index], &address), 0);
	return address;
}

static void assert_kept(const struct kept_address *kept, const struct adopt_address *address)
{
	struct adopt_address told;

	address_kept(kept, &told);
	ck_assert_uint_eq(told.length, address->length);
	ck_assert_mem_eq(&told.name, &address->name, address->length);
}

START_TEST(told_as_it_was)
{
	struct kept_address kept = {0};
	struct adopt_address address = parsed((size_t)_i);

	ck_assert_int_eq(address_keep(&kept, &address), 0);
	assert_kept(&kept, &address);
	address_forget(&kept);
	address.length = 0;
	assert_kept(&kept, &address);
}
END_TEST

START_TEST(replaced_by_any_other)
{
	struct kept_address kept = {0};

	for (size_t i = 0; i < TEXTS; i++) {
		struct adopt_address first = parsed((size_t)_i), second = parsed(i);

		ck_assert_int_eq(address_keep(&kept, &first), 0);
		ck_assert_int_eq(address_keep(&kept, &second), 0);
		assert_kept(&kept, &second);
	}
	address_forget(&kept);
}
END_TEST

START_TEST(not_known)
{
	struct kept_address kept = {0};
	struct adopt_address told = parsed(0);

	address_kept(&kept, &told);
	ck_assert_uint_eq(told.length, 0);
	ck_assert_int_eq(adopt_address_family(&told), AF_UNSPEC);
	address_forget(&kept);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kept address");
	TCase *tests = tcase_create("kept address");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, told_as_it_was, 0, TEXTS);
	tcase_add_loop_test(tests, replaced_by_any_other, 0, TEXTS);
	tcase_add_test(tests, not_known);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
