/* How adoptd finds out by which path it was started. */
#include "daemon/program.h"

#include <check.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char self[PATH_MAX]; /* of this very program */
static char directory[] = "/tmp/adoptd-test-XXXXXX";
static char link_path[64];
static struct program program;

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(link_path, sizeof link_path, "%s/adoptd", directory);
	ck_assert_int_eq(symlink(self, link_path), 0);
}

static void teardown(void)
{
	program_done(&program);
	unlink(link_path);
	rmdir(directory);
}

static void remember(char *name)
{
	char option[] = "-v";
	char *argv[] = {name, option, NULL};

	ck_assert_int_eq(program_remember(2, argv, &program), 0);
	ck_assert_str_eq(program.argv[1], "-v");
	ck_assert_ptr_null(program.argv[2]);
	if (program.path)
		ck_assert_str_eq(program.argv[0], program.path);
}

/* Rows: as it was called, by its absolute path or from where it lies. */
START_TEST(path_by_which_it_was_called)
{
	char relative[] = "./adoptd", wanted[80];

	ck_assert_int_eq(chdir(directory), 0);
	remember(_i == 0 ? link_path : relative);
	snprintf(wanted, sizeof wanted, "%s/%s", directory, _i == 0 ? "adoptd" : "./adoptd");
	ck_assert_str_eq(program.path, wanted);
}
END_TEST

START_TEST(name_that_was_searched_for)
{
	char name[] = "adoptd", path[128];

	snprintf(path, sizeof path, "relative::/nonexistent:%s:/bin", directory);
	setenv("PATH", path, 1);
	remember(name);
	ck_assert_str_eq(program.path, link_path);
}
END_TEST

#ifdef __linux__
/* Rows: what leads to another program, and what leads nowhere. */
START_TEST(name_that_leads_elsewhere)
{
	static const char *const names[] = {"/bin/sh", "sh", "/nonexistent/adoptd", "nonexistent",
					    ""};
	char name[32];

	strcpy(name, names[_i]);
	remember(name);
	ck_assert_str_eq(program.path, self);
}
END_TEST
#endif

START_TEST(without_any_name)
{
	char *argv[] = {NULL};

	ck_assert_int_eq(program_remember(0, argv, &program), 0);
	ck_assert_ptr_null(program.argv[0]);
}
END_TEST

int main(int argc, char *argv[])
{
	Suite *suite = suite_create("program");
	TCase *tcase = tcase_create("program");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (argc < 1 || !realpath(argv[0], self))
		return EXIT_FAILURE;
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, path_by_which_it_was_called, 0, 2);
	tcase_add_test(tcase, name_that_was_searched_for);
#ifdef __linux__
	tcase_add_loop_test(tcase, name_that_leads_elsewhere, 0, 5);
#endif
	tcase_add_test(tcase, without_any_name);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
