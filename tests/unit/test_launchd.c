/* launchd.c, the very file that macOS gets, against a shim of <launch.h>. */
#include "activation/activation.h"
#include "launch_answers.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <launch.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct inherited_list list;
static char *message;

static void setup(void)
{
	list = (struct inherited_list){0};
	message = NULL;
}

static void teardown(void)
{
	inherited_free(&list);
	free(message);
}

static int make_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_ge(fd, 3);
	return fd;
}

static int collect(const char *const *names)
{
	struct activation_request request = {.port_names = names};

	return giver_launchd.collect(&request, &list, &message);
}

static void assert_prepared(int fd)
{
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
}

START_TEST(without_names_nothing_is_asked)
{
	ck_assert_int_eq(collect(NULL), 0);
	ck_assert_uint_eq(list.count, 0);
}
END_TEST

START_TEST(enoent_and_esrch_give_nothing)
{
	const char *const names[] = {"web", "mail", "unheard-of", NULL};

	shim_answer("web", ENOENT, NULL, 0);
	shim_answer("mail", ESRCH, NULL, 0);
	ck_assert_int_eq(collect(names), 0);
	ck_assert_uint_eq(list.count, 0);
	ck_assert_uint_eq(shim_asked("web"), 1);
	ck_assert_uint_eq(shim_asked("mail"), 1);
}
END_TEST

START_TEST(ealready_is_an_error)
{
	const char *const names[] = {"web", NULL};

	shim_answer("web", EALREADY, NULL, 0);
	ck_assert_int_eq(collect(names), -EALREADY);
	ck_assert_str_eq(message, "launchd's socket \"web\": was activated before");
}
END_TEST

START_TEST(another_error_is_told)
{
	const char *const names[] = {"web", NULL};

	shim_answer("web", EPERM, NULL, 0);
	ck_assert_int_eq(collect(names), -EPERM);
	ck_assert_str_eq(message, "launchd's socket \"web\": Operation not permitted");
}
END_TEST

/* Whatever state launchd left them in: bit 0 is close-on-exec, bit 1 non-blocking. */
START_TEST(one_descriptor_in_any_state)
{
	const char *const names[] = {"web", NULL};
	int fd = make_socket();

	if (_i & 1)
		ck_assert_int_eq(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
	if (_i & 2)
		ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	shim_answer("web", 0, &fd, 1);
	ck_assert_int_eq(collect(names), 0);
	ck_assert_uint_eq(list.count, 1);
	ck_assert_int_eq(list.items[0].fd, fd);
	ck_assert_str_eq(list.items[0].name, "web");
	ck_assert_str_eq(list.items[0].source, "launchd");
	assert_prepared(fd);
}
END_TEST

START_TEST(two_descriptors_of_one_name)
{
	const char *const names[] = {"web", NULL};
	int fds[] = {make_socket(), make_socket()};

	shim_answer("web", 0, fds, 2);
	ck_assert_int_eq(collect(names), 0);
	ck_assert_uint_eq(list.count, 2);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(list.items[i].fd, fds[i]);
		ck_assert_str_eq(list.items[i].name, "web");
		assert_prepared(fds[i]);
	}
}
END_TEST

START_TEST(zero_descriptors)
{
	const char *const names[] = {"web", NULL};

	shim_answer("web", 0, NULL, 0);
	ck_assert_int_eq(collect(names), 0);
	ck_assert_uint_eq(list.count, 0);
}
END_TEST

START_TEST(a_name_is_asked_once_and_without_its_number)
{
	const char *const names[] = {"web#0", "mail", "web#1", "*", "web", NULL};
	int web[] = {make_socket(), make_socket()}, mail = make_socket();

	shim_answer("web", 0, web, 2);
	shim_answer("mail", 0, &mail, 1);
	shim_answer("*", EPERM, NULL, 0);
	ck_assert_int_eq(collect(names), 0);
	ck_assert_uint_eq(shim_asked("web"), 1);
	ck_assert_uint_eq(shim_asked("mail"), 1);
	ck_assert_uint_eq(shim_asked("*"), 0);
	ck_assert_uint_eq(list.count, 3);
	ck_assert_str_eq(list.items[1].name, "web");
	ck_assert_str_eq(list.items[2].name, "mail");
}
END_TEST

START_TEST(no_descriptor_leaks_after_one_that_fails)
{
	const char *const names[] = {"web", NULL};
	int fds[] = {make_socket(), make_socket()};

	close(fds[0]);
	shim_answer("web", 0, fds, 2);
	ck_assert_int_eq(collect(names), -EBADF);
	ck_assert_ptr_nonnull(message);
	ck_assert_uint_eq(list.count, 0);
	ck_assert_int_eq(fcntl(fds[1], F_GETFD), -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("launchd");
	TCase *tcase = tcase_create("launchd");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, without_names_nothing_is_asked);
	tcase_add_test(tcase, enoent_and_esrch_give_nothing);
	tcase_add_test(tcase, ealready_is_an_error);
	tcase_add_test(tcase, another_error_is_told);
	tcase_add_loop_test(tcase, one_descriptor_in_any_state, 0, 4);
	tcase_add_test(tcase, two_descriptors_of_one_name);
	tcase_add_test(tcase, zero_descriptors);
	tcase_add_test(tcase, a_name_is_asked_once_and_without_its_number);
	tcase_add_test(tcase, no_descriptor_leaks_after_one_that_fails);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
