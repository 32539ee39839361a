/* The quotes of qotd: which there are, and what of a file is wrong. */
#include "handler_fixture.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct handler_fixture fixture;
static char path[] = "/tmp/test_qotd.XXXXXX";
static char options[64];

static void setup(void)
{
	int fd;

	strcpy(path + sizeof path - 7, "XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	snprintf(options, sizeof options, "file = \"%s\"", path);
	fixture_init(&fixture);
}

static void teardown(void)
{
	unlink(path);
	fixture_done(&fixture);
}

static void write_file(const char *text, size_t length)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, length, file), length);
	ck_assert_int_eq(fclose(file), 0);
}

static void read_quotes(const char *text)
{
	write_file(text, strlen(text));
	ck_assert_int_eq(fixture_read(&fixture, "qotd", options), 0);
	ck_assert_int_eq(
		fixture.handler->stream_new(fixture.settings, &fixture.host, &fixture.factory), 0);
}

/* Connects once, and copies the quote. */
static void listen_once(char quote[513])
{
	struct adopt_transport *transport = NULL;
	const void *data;
	size_t length;

	ck_assert_int_eq(adopt_memory_transport_new(fixture.reactor, fixture.factory, NULL, NULL,
						    &transport),
			 0);
	length = adopt_memory_written(transport, &data);
	ck_assert_uint_le(length, 512);
	memcpy(quote, data, length);
	quote[length] = '\0';
	adopt_memory_take(transport, length);
	ck_assert(fixture_all_lost(&fixture));
}

static void ck_fault(const char *said)
{
	char text[1024] = "";
	FILE *stream = fmemopen(text, sizeof text, "w");

	ck_assert_ptr_nonnull(stream);
	faults_print(fixture.faults, stream);
	fclose(stream);
	ck_assert_msg(strstr(text, said) != NULL, "\"%s\" lacks \"%s\"", text, said);
	ck_assert_msg(strstr(text, path) != NULL, "\"%s\" lacks the path", text);
}

static void ck_refused(const char *said)
{
	ck_assert_int_eq(fixture_read(&fixture, "qotd", options), -EINVAL);
	ck_assert_ptr_null(fixture.settings);
	ck_assert_uint_eq(faults_count(fixture.faults, FAULT_ERROR), 1);
	ck_fault(said);
}

START_TEST(one_quote_as_lines)
{
	char quote[513];

	read_quotes("\n%\nfirst line\n\nthird line\n\n\n%\n\n%");
	listen_once(quote);
	ck_assert_str_eq(quote, "first line\r\n\r\nthird line\r\n");
	ck_assert_uint_eq(faults_count(fixture.faults, FAULT_WARNING), 0);
}
END_TEST

START_TEST(lines_may_end_with_cr_or_with_the_file)
{
	char quote[513];

	read_quotes("%\r\n%% is no separator\r\nlast");
	listen_once(quote);
	ck_assert_str_eq(quote, "%% is no separator\r\nlast\r\n");
}
END_TEST

START_TEST(each_quote_is_as_likely)
{
	unsigned said[4] = {0};
	char quote[513];

	read_quotes("0\n%\n1\n%\n2\n%\n3\n");
	for (unsigned i = 0; i < 4000; i++) {
		listen_once(quote);
		ck_assert(quote[0] >= '0' && quote[0] <= '3');
		said[quote[0] - '0']++;
	}
	/* Eight standard deviations around 1000. */
	for (unsigned i = 0; i < 4; i++)
		ck_assert_msg(said[i] > 780 && said[i] < 1220, "%u: %u", i, said[i]);
}
END_TEST

START_TEST(longest_quote_is_below_512)
{
	char text[600], quote[513];

	memset(text, 'x', sizeof text);
	strcpy(text + 509, "\n%\nshort enough\n");
	memset(text + 560, 'y', 30);
	read_quotes(text);
	do
		listen_once(quote);
	while (quote[0] != 'x');
	ck_assert_uint_eq(strlen(quote), 511);
}
END_TEST

START_TEST(longer_quotes_are_warned_of)
{
	char text[600], quote[513];

	memset(text, 'x', sizeof text);
	strcpy(text + 510, "\n%\nshort\n");
	read_quotes(text);
	for (unsigned i = 0; i < 50; i++) {
		listen_once(quote);
		ck_assert_str_eq(quote, "short\r\n");
	}
	ck_assert_uint_eq(faults_count(fixture.faults, FAULT_ERROR), 0);
	ck_assert_uint_eq(faults_count(fixture.faults, FAULT_WARNING), 1);
	ck_fault("too long");
}
END_TEST

START_TEST(built_in_quotes_without_a_file)
{
	char first[513], quote[513];

	ck_assert_int_eq(fixture_read(&fixture, "qotd", ""), 0);
	ck_assert_int_eq(
		fixture.handler->stream_new(fixture.settings, &fixture.host, &fixture.factory), 0);
	listen_once(first);
	ck_assert_uint_gt(strlen(first), 10);
	do
		listen_once(quote);
	while (strcmp(first, quote) == 0);
}
END_TEST

START_TEST(missing_file_is_a_fault)
{
	unlink(path);
	ck_refused("No such file");
}
END_TEST

START_TEST(directory_is_a_fault)
{
	unlink(path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_refused("Is a directory");
	rmdir(path);
}
END_TEST

START_TEST(fifo_does_not_block)
{
	unlink(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_refused("no quote");
}
END_TEST

START_TEST(file_without_quotes_is_a_fault)
{
	write_file("\n%\n\n%\n", 6);
	ck_refused("no quote");
}
END_TEST

START_TEST(large_file_is_a_fault)
{
	ck_assert_int_eq(truncate(path, 1024 * 1024 + 1), 0);
	ck_refused("larger than 1 MiB");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("qotd");
	TCase *tests = tcase_create("quotes");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, one_quote_as_lines);
	tcase_add_test(tests, lines_may_end_with_cr_or_with_the_file);
	tcase_add_test(tests, each_quote_is_as_likely);
	tcase_add_test(tests, longest_quote_is_below_512);
	tcase_add_test(tests, longer_quotes_are_warned_of);
	tcase_add_test(tests, built_in_quotes_without_a_file);
	tcase_add_test(tests, missing_file_is_a_fault);
	tcase_add_test(tests, directory_is_a_fault);
	tcase_add_test(tests, fifo_does_not_block);
	tcase_add_test(tests, file_without_quotes_is_a_fault);
	tcase_add_test(tests, large_file_is_a_fault);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
