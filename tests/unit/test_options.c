/* The command line of adoptd. */
#include "daemon/options.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 12

static char *said; /* about wrong usage */
static size_t said_size;

static int parse(const char *const *words, struct options *ret)
{
	char *argv[MAX_WORDS + 2] = {NULL};
	char copies[MAX_WORDS + 1][64];
	int argc = 0, result;
	FILE *errors = open_memstream(&said, &said_size);

	strcpy(copies[0], "adoptd");
	argv[argc++] = copies[0];
	for (; argc <= MAX_WORDS && words[argc - 1]; argc++) {
		ck_assert_uint_lt(strlen(words[argc - 1]), sizeof copies[0]);
		argv[argc] = strcpy(copies[argc], words[argc - 1]);
	}
	result = options_parse(argc, argv, errors, ret);
	fclose(errors);
	/* The results point into argv, which goes away: tests see the caller's words. */
	for (int i = 1; result == 0 && i < argc; i++) {
		if (ret->config_path == argv[i])
			ret->config_path = words[i - 1];
		if (ret->config_text == argv[i])
			ret->config_text = words[i - 1];
	}
	return result;
}

static void teardown(void)
{
	free(said);
	said = NULL;
}

START_TEST(nothing_given)
{
	static const char *const words[] = {NULL};
	struct options options;

	ck_assert_int_eq(parse(words, &options), 0);
	ck_assert_str_eq(options.config_path, SYSCONFDIR "/adoptd/adoptd.conf");
	ck_assert_ptr_null(options.config_text);
	ck_assert_ptr_null(options.fds[0]);
	ck_assert(!options.check && !options.strict && !options.dump);
	ck_assert(!options.version && !options.help);
	options_done(&options);
}
END_TEST

START_TEST(flags)
{
	static const char *const words[] = {"--dump", "--check", "--strict", NULL};
	struct options options;

	ck_assert_int_eq(parse(words, &options), 0);
	ck_assert(options.check && options.strict && options.dump);
	options_done(&options);
}
END_TEST

START_TEST(text_instead_of_a_file)
{
	char text[] = "port \"x\" { echo {} }", program[] = "adoptd", flag[] = "--execute";
	char *argv[] = {program, flag, text, NULL};
	struct options options;

	ck_assert_int_eq(options_parse(3, argv, stderr, &options), 0);
	ck_assert_ptr_null(options.config_path);
	ck_assert_ptr_eq(options.config_text, text);
	options_done(&options);
}
END_TEST

START_TEST(descriptors_in_order)
{
	char program[] = "adoptd", flag[] = "--fd", zero[] = "0", web[] = "--fd=web=3";
	char *argv[] = {program, flag, zero, web, NULL};
	struct options options;

	ck_assert_int_eq(options_parse(4, argv, stderr, &options), 0);
	ck_assert_str_eq(options.fds[0], "0");
	ck_assert_str_eq(options.fds[1], "web=3");
	ck_assert_ptr_null(options.fds[2]);
	ck_assert_ptr_null(options.froms[0]);
	options_done(&options);
}
END_TEST

START_TEST(givers_in_order)
{
	char program[] = "adoptd", flag[] = "--from", path[] = "/run/give",
	     haproxy[] = "--from=haproxy:stats";
	char *argv[] = {program, flag, path, haproxy, NULL};
	struct options options;

	ck_assert_int_eq(options_parse(4, argv, stderr, &options), 0);
	ck_assert_str_eq(options.froms[0], "/run/give");
	ck_assert_str_eq(options.froms[1], "haproxy:stats");
	ck_assert_ptr_null(options.froms[2]);
	options_done(&options);
}
END_TEST

START_TEST(help_and_version_win)
{
	static const char *const help[] = {"-c", "a", "-e", "b", "--help", "rest", NULL};
	static const char *const version[] = {"-v", NULL};
	struct options options;

	ck_assert_int_eq(parse(help, &options), 0);
	ck_assert(options.help);
	options_done(&options);
	teardown();
	ck_assert_int_eq(parse(version, &options), 0);
	ck_assert(options.version);
	options_done(&options);
}
END_TEST

static const struct {
	const char *words[MAX_WORDS];
	const char *hint;
} wrong[] = {
	{{"-c", "a", "-e", "b"}, "-c and -e exclude each other"},
	{{"-c", "a", "--config=b"}, "-c is given twice"},
	{{"-e", "a", "-e", "b"}, "-e is given twice"},
	{{"file.conf"}, "\"file.conf\" is left over"},
	{{"--check", "--", "x"}, "\"x\" is left over"},
	{{"-c"}, "-c needs a value"},
	{{"--fd"}, "--fd needs a value"},
	{{"--fd", "abc"}, "--fd takes FD or NAME=FD"},
	{{"--fd", "=3"}, "--fd takes FD or NAME=FD"},
	{{"--from"}, "--from needs a value"},
	{{"--from", ""}, "--from takes SOCKET or haproxy:SOCKET"},
	{{"--from", "haproxy:"}, "--from takes SOCKET or haproxy:SOCKET"},
	{{"--frobnicate"}, "--frobnicate is no option"},
	{{"-x"}, "-x is no option"},
	{{"--check=yes"}, "--check=yes is no option"},
};

START_TEST(wrong_usage)
{
	struct options options = {.config_path = "untouched"};

	ck_assert_int_eq(parse(wrong[_i].words, &options), -EINVAL);
	ck_assert_str_eq(options.config_path, "untouched");
	ck_assert_msg(strstr(said, wrong[_i].hint), "said: %s", said);
	ck_assert_ptr_eq(strchr(said, '\n'), said + said_size - 1);
}
END_TEST

START_TEST(help_names_every_option)
{
	static const char *const names[] = {"--config", "--execute", "--fd",
					    "--from",   "--check",   "--strict",
					    "--dump",   "--version", "--help"};
	FILE *stream = open_memstream(&said, &said_size);

	options_print_help(stream);
	fclose(stream);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		ck_assert_msg(strstr(said, names[i]), "%s is missing", names[i]);
	/* How long the default path is depends on the prefix. */
	for (const char *line = said; *line; line += strcspn(line, "\n") + 1)
		if (strncmp(line + strspn(line, " "), SYSCONFDIR, strlen(SYSCONFDIR)) != 0)
			ck_assert_uint_le(strcspn(line, "\n"), 80);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("options");
	TCase *tests = tcase_create("options");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, NULL, teardown);
	tcase_add_test(tests, nothing_given);
	tcase_add_test(tests, flags);
	tcase_add_test(tests, text_instead_of_a_file);
	tcase_add_test(tests, descriptors_in_order);
	tcase_add_test(tests, givers_in_order);
	tcase_add_test(tests, help_and_version_win);
	tcase_add_loop_test(tests, wrong_usage, 0, sizeof wrong / sizeof wrong[0]);
	tcase_add_test(tests, help_names_every_option);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
