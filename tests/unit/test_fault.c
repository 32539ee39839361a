/* What is wrong with a configuration, collected and put in order. */
#include "support/fault.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct faults *faults;

static void setup(void)
{
	ck_assert_int_eq(faults_new(&faults), 0);
}

static void teardown(void)
{
	faults_free(&faults);
	ck_assert_ptr_null(faults);
}

static char *print_all(void)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	faults_print(faults, stream);
	fclose(stream);
	return text;
}

static void expect(const char *expected)
{
	char *text = print_all();

	ck_assert_str_eq(text, expected);
	free(text);
}

START_TEST(nothing_wrong)
{
	expect("");
	ck_assert(faults_acceptable(faults, true));
}
END_TEST

START_TEST(ordered_by_file_as_first_seen_then_line)
{
	fault_add(faults, FAULT_ERROR, "z.conf", 9, "nine");
	fault_add(faults, FAULT_ERROR, "a.conf", 4, "four");
	fault_add(faults, FAULT_ERROR, "z.conf", 2, "two");
	fault_add(faults, FAULT_ERROR, "z.conf", 9, "nine again");
	fault_add(faults, FAULT_ERROR, "a.conf", 0, "all of it");
	expect("z.conf:2: two\nz.conf:9: nine\nz.conf:9: nine again\n"
	       "a.conf: all of it\na.conf:4: four\n");
}
END_TEST

START_TEST(without_a_file)
{
	fault_add(faults, FAULT_ERROR, NULL, 0, "descriptor %d is a pipe", 3);
	expect("descriptor 3 is a pipe\n");
}
END_TEST

START_TEST(warnings_are_marked_and_only_strict_refuses_them)
{
	fault_add(faults, FAULT_WARNING, "a.conf", 1, "never used");
	expect("a.conf:1: warning: never used\n");
	ck_assert_uint_eq(faults_count(faults, FAULT_WARNING), 1);
	ck_assert_uint_eq(faults_count(faults, FAULT_ERROR), 0);
	ck_assert(faults_acceptable(faults, false));
	ck_assert(!faults_acceptable(faults, true));
	fault_add(faults, FAULT_ERROR, "a.conf", 1, "wrong");
	ck_assert(!faults_acceptable(faults, false));
}
END_TEST

START_TEST(a_message_stays_one_line)
{
	fault_add(faults, FAULT_ERROR, "a.conf", 1, "unknown option \"%s\"",
		  "x\nb.conf:1: \x1b[0m");
	expect("a.conf:1: unknown option \"x\\x0Ab.conf:1: \\x1B[0m\"\n");
}
END_TEST

START_TEST(names_and_messages_are_copied)
{
	char file[] = "a.conf", word[4096];

	memset(word, 'w', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	fault_add(faults, FAULT_ERROR, file, 1, "%s", word);
	file[0] = 'X';
	char *text = print_all();
	ck_assert_uint_eq(strlen(text), strlen("a.conf:1: \n") + sizeof word - 1);
	ck_assert_int_eq(text[0], 'a');
	free(text);
}
END_TEST

START_TEST(many)
{
	for (int i = 0; i < 1000; i++)
		fault_add(faults, FAULT_ERROR, i % 2 ? "odd" : "even", i + 1, "x");
	ck_assert_uint_eq(faults_count(faults, FAULT_ERROR), 1000);
	char *text = print_all();
	ck_assert_ptr_eq(strstr(text, "even:1: x\neven:3: x\n"), text);
	ck_assert_ptr_nonnull(strstr(text, "even:999: x\nodd:2: x\n"));
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fault");
	TCase *tests = tcase_create("fault");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, nothing_wrong);
	tcase_add_test(tests, ordered_by_file_as_first_seen_then_line);
	tcase_add_test(tests, without_a_file);
	tcase_add_test(tests, warnings_are_marked_and_only_strict_refuses_them);
	tcase_add_test(tests, a_message_stays_one_line);
	tcase_add_test(tests, names_and_messages_are_copied);
	tcase_add_test(tests, many);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
