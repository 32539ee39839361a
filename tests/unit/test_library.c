/* Libraries that are loaded by who needs them: here the program itself, which always is. */
#include "support/library.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOWHERE "/nowhere/library.so"

#define FUNCTIONS(DO) DO(malloc) DO(free)

struct functions {
	FUNCTIONS(LIBRARY_MEMBER)
};

static const char *const names[] = {FUNCTIONS(LIBRARY_NAME) NULL};
static struct library library;
static struct functions functions;

static void set_up(void)
{
	library = (struct library)LIBRARY_INIT;
	functions = (struct functions){0};
}

static int load(const char *file)
{
	return library_load_once(&library, file, names, &functions);
}

static void assert_works(void)
{
	void *memory = functions.malloc(1);

	ck_assert_ptr_nonnull(memory);
	functions.free(memory);
}

START_TEST(gives_its_functions)
{
	ck_assert_int_eq(load(NULL), 0);
	assert_works();
}
END_TEST

START_TEST(is_loaded_once)
{
	ck_assert_int_eq(load(NULL), 0);
	ck_assert_int_eq(load(NOWHERE), 0);
	assert_works();
}
END_TEST

START_TEST(one_that_is_not_there_is_tried_again)
{
	ck_assert_int_eq(load(NOWHERE), -ENOSYS);
	ck_assert_ptr_nonnull(strstr(library_error_text(), NOWHERE));
	ck_assert_int_eq(load(NULL), 0);
	assert_works();
}
END_TEST

START_TEST(function_that_is_not_there)
{
	static const char *const others[] = {"malloc", "there_is_no_such_function", NULL};

	ck_assert_int_eq(library_load_once(&library, NULL, others, &functions), -ENOSYS);
	ck_assert_ptr_nonnull(strstr(library_error_text(), "there_is_no_such_function"));
	ck_assert_ptr_nonnull(library_error_text());
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("library");
	TCase *tests = tcase_create("library");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_test(tests, gives_its_functions);
	tcase_add_test(tests, is_loaded_once);
	tcase_add_test(tests, one_that_is_not_there_is_tried_again);
	tcase_add_test(tests, function_that_is_not_there);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
