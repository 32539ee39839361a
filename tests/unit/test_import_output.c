/* Which daemon a file is for, and the files that an import writes. */
#include "adoptctl/kind.h"
#include "adoptctl/output.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *text;
	const char *name;
	enum kind kind;
} texts[] = {
	{"defaults\n{\n}\n", "x", KIND_XINETD},
	{"# c\n\n  service echo\n{\n}\n", "x", KIND_XINETD},
	{"service echo {\n}\n", "x", KIND_XINETD},
	{"includedir /etc/xinetd.d\n", "inetd.conf", KIND_XINETD},
	{"include x", "inetd.conf", KIND_XINETD},
	{"echo stream tcp nowait root internal\n", "xinetd.conf", KIND_INETD},
	{"service stream tcp nowait root /s\n", "x", KIND_INETD},
	{"10.0.0.1:\n", "x", KIND_INETD},
	{"# only comments\n", "/etc/inetd.conf", KIND_INETD},
	{"# only comments\n", "/etc/xinetd.conf", KIND_XINETD},
	{"", "/etc/xinetd.d/echo", KIND_INETD},
	{"", "stdin", KIND_INETD},
};

START_TEST(guess)
{
	ck_assert_int_eq(kind_guess(texts[_i].text, strlen(texts[_i].text), texts[_i].name),
			 texts[_i].kind);
}
END_TEST

START_TEST(kind_names)
{
	enum kind kind = KIND_XINETD;

	ck_assert_int_eq(kind_parse("inetd", &kind), 0);
	ck_assert_int_eq(kind, KIND_INETD);
	ck_assert_int_eq(kind_parse("xinetd", &kind), 0);
	ck_assert_int_eq(kind, KIND_XINETD);
	ck_assert_int_eq(kind_parse("xinet", &kind), -EINVAL);
	ck_assert_int_eq(kind, KIND_XINETD);
}
END_TEST

/* --- files --- */

static char directory[] = "/tmp/adoptctl.XXXXXX";
static struct output *output;
static char *culprit;

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
	ck_assert_int_eq(output_new(&output), 0);
	fputs("first\n", output_begin(output, "a"));
	fputs("second\n", output_begin(output, "b"));
}

static void teardown(void)
{
	output_free(&output);
	free(culprit);
	culprit = NULL;
	unlink("a");
	unlink("b");
	ck_assert_int_eq(chdir("/"), 0);
	/* It fails where anything is left behind. */
	ck_assert_int_eq(rmdir(directory), 0);
}

static void assert_file(const char *name, const char *text)
{
	char buffer[64] = "";
	FILE *file = fopen(name, "r");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_lt(fread(buffer, 1, sizeof buffer - 1, file), sizeof buffer - 1);
	fclose(file);
	ck_assert_str_eq(buffer, text);
}

/* Writes the files. ret_report: what was printed of it, malloc'ed. */
static int write_files(bool force, char **ret_report)
{
	size_t size;
	FILE *report = open_memstream(ret_report, &size);
	int error = output_write(output, ".", force, report, &culprit);

	fclose(report);
	return error;
}

START_TEST(printed)
{
	char *text;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	ck_assert_int_eq(output_print(output, stream), 0);
	fclose(stream);
	ck_assert_str_eq(text, "#### a\nfirst\n#### b\nsecond\n");
	free(text);
}
END_TEST

START_TEST(no_room)
{
	FILE *full = fopen("/dev/full", "w");

	if (!full)
		return;
	ck_assert_int_eq(output_print(output, full), -ENOSPC);
	fclose(full);
}
END_TEST

START_TEST(written)
{
	struct stat st;
	char *report;

	umask(022);
	ck_assert_int_eq(write_files(false, &report), 0);
	ck_assert_str_eq(report, "./a\n./b\n");
	assert_file("a", "first\n");
	assert_file("b", "second\n");
	ck_assert_int_eq(stat("a", &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0644);
	free(report);
}
END_TEST

START_TEST(not_over_another)
{
	char *report;
	FILE *file = fopen("b", "w");

	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(write_files(false, &report), -EEXIST);
	ck_assert_str_eq(culprit, "./b");
	ck_assert_str_eq(report, "");
	ck_assert_int_ne(access("a", F_OK), 0);
	assert_file("b", "");
	free(report);
}
END_TEST

/* Not the file behind a link either. */
START_TEST(not_over_a_link)
{
	char *report;

	ck_assert_int_eq(symlink("nowhere", "b"), 0);
	ck_assert_int_eq(write_files(false, &report), -EEXIST);
	ck_assert_int_ne(access("nowhere", F_OK), 0);
	free(report);
}
END_TEST

START_TEST(over_another_by_force)
{
	char *report;
	FILE *file = fopen("b", "w");

	fputs("a longer text than before\n", file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(write_files(true, &report), 0);
	ck_assert_str_eq(report, "./a\n./b\n");
	assert_file("b", "second\n");
	free(report);
}
END_TEST

START_TEST(no_directory)
{
	ck_assert_int_eq(output_write(output, "./none", false, stdout, &culprit), -ENOENT);
	ck_assert_str_eq(culprit, "./none");
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])

int main(void)
{
	Suite *suite = suite_create("import_output");
	TCase *kinds = tcase_create("kind"), *files = tcase_create("files");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(kinds, guess, 0, COUNT(texts));
	tcase_add_test(kinds, kind_names);
	suite_add_tcase(suite, kinds);
	tcase_add_checked_fixture(files, setup, teardown);
	tcase_add_test(files, printed);
	tcase_add_test(files, no_room);
	tcase_add_test(files, written);
	tcase_add_test(files, not_over_another);
	tcase_add_test(files, not_over_a_link);
	tcase_add_test(files, over_another_by_force);
	tcase_add_test(files, no_directory);
	suite_add_tcase(suite, files);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
