/* Who starts the next adoptd: here programs of other kinds, which leave a word. */
#include "daemon/starter.h"

#include "support/pipe.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BOUND_MS 20000

static struct starter *starter;
static int ends[2]; /* ours, and the new process's */

static void set_up(void)
{
	ck_assert_int_eq(pipe_open_sockets(SOCK_STREAM, ends), 0);
}

static void tear_down(void)
{
	starter_free(&starter);
	close(ends[0]);
	close(ends[1]);
}

static void make(char *program, char *script)
{
	static char *argv[] = {NULL, NULL, NULL, NULL};
	static char option[] = "-c";
	const struct program what = {.path = program, .argv = argv};

	argv[0] = program;
	argv[1] = option;
	argv[2] = script;
	ck_assert_int_eq(starter_new(&what, &starter), 0);
}

static void assert_said(const char *text)
{
	struct pollfd wanted = {.fd = ends[0], .events = POLLIN};
	char said[64];
	ssize_t length;

	ck_assert_int_eq(poll(&wanted, 1, BOUND_MS), 1);
	length = read(ends[0], said, sizeof said - 1);
	ck_assert_int_ge(length, 0);
	said[length] = '\0';
	ck_assert_str_eq(said, text);
}

START_TEST(starts_as_often_as_it_is_asked)
{
	char program[] = "/bin/sh", script[] = "echo $ADOPTD_HANDOVER >&3";
	pid_t pid, other;

	make(program, script);
	ck_assert_int_eq(starter_start(&starter, ends[1], &pid), 0);
	assert_said("3\n");
	ck_assert_int_eq(starter_start(&starter, ends[1], &other), 0);
	assert_said("3\n");
	ck_assert_int_gt(pid, 1);
	ck_assert_int_gt(other, 1);
	ck_assert_int_ne(pid, other);
}
END_TEST

START_TEST(tells_what_it_failed_at)
{
	char program[] = "/nowhere/adoptd", script[] = "";
	pid_t pid = -7;

	make(program, script);
	ck_assert_int_eq(starter_start(&starter, ends[1], &pid), -ENOENT);
	ck_assert_int_eq(starter_start(&starter, ends[1], &pid), -ENOENT);
	ck_assert_int_eq(pid, -7);
}
END_TEST

/* Clients of a listening socket that it held would wait for nobody. */
START_TEST(holds_nothing_and_ends)
{
	char program[] = "/bin/sh", script[] = ":";

	make(program, script);
	close(ends[1]);
	assert_said("");
	starter_free(&starter);
	ck_assert_ptr_null(starter);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
	ends[1] = dup(ends[0]);
}
END_TEST

/* A socket of adoptd's may have the number of a standard descriptor that was closed. */
START_TEST(holds_no_low_numbers)
{
	char program[] = "/bin/sh", script[] = ":";

	close(STDIN_FILENO);
	ck_assert_int_eq(fcntl(ends[1], F_DUPFD_CLOEXEC, STDIN_FILENO), STDIN_FILENO);
	make(program, script);
	close(STDIN_FILENO);
	close(ends[1]);
	assert_said("");
	ends[1] = dup(ends[0]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("starter");
	TCase *all = tcase_create("starter");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(all, set_up, tear_down);
	tcase_add_test(all, starts_as_often_as_it_is_asked);
	tcase_add_test(all, tells_what_it_failed_at);
	tcase_add_test(all, holds_nothing_and_ends);
	tcase_add_test(all, holds_no_low_numbers);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
