/* What a process says on its stderr: lines in the log, bounded in length and number. */
#include "handlers/stderr_log.h"

#include "harness.h"
#include "log_capture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct stderr_log *heard;
static unsigned closed;
static int fd;

static void is_closed(void *context)
{
	ck_assert_ptr_eq(context, &closed);
	closed++;
}

static void set_up(void)
{
	capture_log();
	closed = 0;
	ck_assert_int_eq(stderr_log_new(loop, "cat", is_closed, &closed, &fd, &heard), 0);
	ck_assert_int_eq(stderr_log_listen(heard, 4711), 0);
}

static void tear_down(void)
{
	stderr_log_free(&heard);
	stderr_log_free(&heard);
	ck_assert_ptr_null(heard);
}

static void say(const char *text)
{
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

START_TEST(lines_bear_name_and_number)
{
	say("first\nsec");
	RUN_UNTIL(captured_count("first"));
	ck_assert_uint_eq(captured_count("sec"), 0);
	say("ond\r\n\n\nthird\n");
	RUN_UNTIL(captured_count("third"));
	ck_assert_str_eq(captured_log(), "adoptd: exec: cat[4711]: first\n"
					 "adoptd: exec: cat[4711]: second\n"
					 "adoptd: exec: cat[4711]: third\n");
	ck_assert_uint_eq(closed, 0);
	close(fd);
	RUN_UNTIL(closed == 1);
	settle();
	ck_assert_uint_eq(closed, 1);
}
END_TEST

START_TEST(what_is_unread_at_the_end_is_logged)
{
	say("one\ntwo\nthree");
	stderr_log_free(&heard);
	ck_assert_str_eq(captured_log(), "adoptd: exec: cat[4711]: one\n"
					 "adoptd: exec: cat[4711]: two\n"
					 "adoptd: exec: cat[4711]: three\n");
	close(fd);
}
END_TEST

START_TEST(no_line_forges_another)
{
	ck_assert_int_eq(write(fd, "a\0b\033[2J\n", 8), 8);
	RUN_UNTIL(captured_count("\n"));
	ck_assert_str_eq(captured_log(), "adoptd: exec: cat[4711]: a b\\x1B[2J\n");
	close(fd);
}
END_TEST

START_TEST(long_lines_are_cut_and_nothing_is_lost)
{
	char text[2501];
	size_t letters = 0;
	const char *said;

	memset(text, 'x', 2499);
	strcpy(text + 2499, "\n");
	say(text);
	close(fd);
	RUN_UNTIL(closed == 1);
	said = captured_log();
	ck_assert_uint_eq(captured_count("cat[4711]"), 3);
	said = captured_log();
	for (; *said; said++)
		letters += *said == 'x';
	ck_assert_uint_eq(letters, 2499 + 3); /* and each time that of `exec` */
}
END_TEST

/* It is not read from as fast as it could, and neither stands nor fills the log. */
START_TEST(flood_is_bounded)
{
	char text[4096];
	size_t written = 0, most = 0;
	uint64_t begun = adopt_reactor_now_ms(loop), deadline = harness_bound();
	ssize_t length;

	for (size_t i = 0; i < sizeof text; i++)
		text[i] = i % 8 == 7 ? '\n' : 'y';
	ck_assert_int_ne(fcntl(fd, F_SETFL, O_NONBLOCK), -1);
	while (written < 150000) {
		while ((length = write(fd, text, sizeof text)) > 0)
			written += (size_t)length;
		harness_turn(deadline, "room", __FILE__, __LINE__);
	}
	/* What a pipe holds, what is read at first, and again each tenth of a second. */
	most = 65536 + 16384 * (2 + (size_t)(adopt_reactor_now_ms(loop) - begun) / 100);
	ck_assert_uint_le(written, most);
	ck_assert_uint_eq(captured_count("yyyyyyy"), 200);
	stderr_log_free(&heard);
	ck_assert_uint_eq(captured_count("more lines are left out"), 1);
	ck_assert_uint_eq(captured_count("\n"), 201);
	close(fd);
}
END_TEST

START_TEST(descriptors_are_close_on_exec_and_closed)
{
	struct stderr_log *other = NULL;
	unsigned before = open_descriptors();
	int end;

	ck_assert_int_eq(stderr_log_new(loop, "cat", is_closed, &closed, &end, &other), 0);
	assert_new_close_on_exec();
	ck_assert_int_eq(fcntl(end, F_GETFL) & O_NONBLOCK, 0);
	close(end);
	stderr_log_free(&other);
	ck_assert_uint_eq(open_descriptors(), before);
	close(fd);
}
END_TEST

static void free_it(void *context)
{
	(void)context;
	closed++;
	stderr_log_free(&heard);
}

START_TEST(closing_may_free_it)
{
	stderr_log_free(&heard);
	close(fd);
	ck_assert_int_eq(stderr_log_new(loop, "cat", free_it, NULL, &fd, &heard), 0);
	ck_assert_int_eq(stderr_log_listen(heard, 1), 0);
	close(fd);
	RUN_UNTIL(closed == 1);
	ck_assert_ptr_null(heard);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stderr log");
	TCase *tests = harness_case("stderr log");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, lines_bear_name_and_number);
	tcase_add_test(tests, what_is_unread_at_the_end_is_logged);
	tcase_add_test(tests, no_line_forges_another);
	tcase_add_test(tests, long_lines_are_cut_and_nothing_is_lost);
	tcase_add_test(tests, flood_is_bounded);
	tcase_add_test(tests, descriptors_are_close_on_exec_and_closed);
	tcase_add_test(tests, closing_may_free_it);
	suite_add_tcase(suite, tests);
	return harness_main(suite);
}
