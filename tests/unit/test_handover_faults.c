/* A hand-over where the system refuses something: sendmsg(), recvmsg() and what watches a
 * descriptor are wrapped by the linker, to make them fail. */
#include "activation/activation.h"
#include "daemon/server_parts.h"
#include "daemon/starter.h"
#include "support/fd_socket.h"
#include "support/pipe.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a wrapped call answers instead, so many times. */
struct fault {
	int error;
	unsigned times;
};

static struct fault sending, receiving, watching;

static bool fails(struct fault *fault)
{
	if (fault->times == 0)
		return false;
	fault->times--;
	errno = fault->error;
	return true;
}

ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __real_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);
int __real_adopt_reader_add(struct adopt_reactor *reactor, struct adopt_watcher *watcher);
int __wrap_adopt_reader_add(struct adopt_reactor *reactor, struct adopt_watcher *watcher);

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	return fails(&sending) ? -1 : __real_sendmsg(fd, message, flags);
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
	return fails(&receiving) ? -1 : __real_recvmsg(fd, message, flags);
}

int __wrap_adopt_reader_add(struct adopt_reactor *reactor, struct adopt_watcher *watcher)
{
	return fails(&watching) ? -errno : __real_adopt_reader_add(reactor, watcher);
}

static struct inherited_list list;
static struct starter *starter;
static int ends[2];

static void set_up(void)
{
	sending = receiving = watching = (struct fault){0};
	ck_assert_int_eq(pipe_open_sockets(SOCK_STREAM, ends), 0);
}

static void tear_down(void)
{
	inherited_free(&list);
	starter_free(&starter);
	close(ends[0]);
	close(ends[1]);
}

/* --- who takes over --- */

static void may_go_on(void)
{
	static struct fd_message go;

	fd_message_begin(&go, FD_MESSAGE_GO);
	ck_assert_int_eq(fd_socket_send_all(ends[0], &go, 0), 0);
	list.handed_over = true;
	list.answer_fd = dup(ends[1]);
}

/* Nobody else serves by then. */
START_TEST(a_shortage_is_waited_out)
{
	may_go_on();
	receiving = (struct fault){ENOMEM, 3};
	ck_assert_int_eq(handover_accept(&list), 0);
	ck_assert_uint_eq(receiving.times, 0);
	ck_assert(!list.handed_over);
	ck_assert_uint_eq(list.elder_count, 1);
}
END_TEST

START_TEST(the_other_cannot_be_heard)
{
	may_go_on();
	receiving = (struct fault){EBADF, 1};
	ck_assert_int_eq(handover_accept(&list), -EBADF);
	ck_assert(list.handed_over);
	ck_assert_uint_eq(list.elder_count, 0);
}
END_TEST

START_TEST(the_other_cannot_be_told)
{
	may_go_on();
	sending = (struct fault){ENOBUFS, 1};
	ck_assert_int_eq(handover_accept(&list), -ENOBUFS);
	ck_assert(list.handed_over);
	ck_assert_uint_eq(list.elder_count, 0);
}
END_TEST

/* It serves without knowing when those before it have ended. */
START_TEST(the_other_cannot_be_watched)
{
	struct server server = {.list = &list};

	ck_assert_int_eq(adopt_memory_reactor_new(&server.reactor), 0);
	LIST_INIT(&server.elders.list);
	may_go_on();
	watching = (struct fault){ENOMEM, 1};
	ck_assert_int_eq(server_take_over(&server), 0);
	ck_assert_uint_eq(watching.times, 0);
	ck_assert(!list.handed_over);
	ck_assert(!elders_are_there(&server.elders));
	ck_assert_uint_eq(list.elder_count, 1);
	adopt_reactor_free(&server.reactor);
}
END_TEST

/* --- the starter --- */

static void make_starter(void)
{
	static char program[] = "/bin/sh", option[] = "-c", script[] = ":";
	static char *argv[] = {program, option, script, NULL};
	const struct program what = {.path = program, .argv = argv};

	ck_assert_int_eq(starter_new(&what, &starter), 0);
}

/* Nothing has been sent. */
START_TEST(a_starter_that_was_not_asked_lives_on)
{
	static const int errors[] = {ENOBUFS, ENOMEM, EPERM};
	pid_t pid = -7;

	make_starter();
	sending = (struct fault){errors[_i], 1};
	ck_assert_int_eq(starter_start(&starter, ends[1], &pid), -errors[_i]);
	ck_assert_int_eq(pid, -7);
	ck_assert_ptr_nonnull(starter);
	ck_assert_int_eq(starter_start(&starter, ends[1], &pid), 0);
	ck_assert_int_gt(pid, 1);
}
END_TEST

START_TEST(a_starter_that_is_gone_is_freed)
{
	static const int errors[] = {EPIPE, ECONNRESET};
	pid_t pid;

	make_starter();
	sending = (struct fault){errors[_i], 1};
	ck_assert_int_eq(starter_start(&starter, ends[1], &pid), -errors[_i]);
	ck_assert_ptr_null(starter);
}
END_TEST

/* Its answer is to come yet, and would be taken for the next one. */
START_TEST(a_starter_that_was_not_heard_is_freed)
{
	pid_t pid;

	make_starter();
	receiving = (struct fault){ENOMEM, 1};
	ck_assert_int_eq(starter_start(&starter, ends[1], &pid), -ENOMEM);
	ck_assert_ptr_null(starter);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handover faults");
	TCase *all = tcase_create("handover faults");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(all, set_up, tear_down);
	tcase_add_test(all, a_shortage_is_waited_out);
	tcase_add_test(all, the_other_cannot_be_heard);
	tcase_add_test(all, the_other_cannot_be_told);
	tcase_add_test(all, the_other_cannot_be_watched);
	tcase_add_loop_test(all, a_starter_that_was_not_asked_lives_on, 0, 3);
	tcase_add_loop_test(all, a_starter_that_is_gone_is_freed, 0, 2);
	tcase_add_test(all, a_starter_that_was_not_heard_is_freed);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
