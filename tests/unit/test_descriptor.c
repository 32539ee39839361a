/* Descriptors: made, made fit for adoption, looked into. */
#include "adopt/adopt.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_prepared(int fd)
{
	return fcntl(fd, F_GETFL) & O_NONBLOCK && fcntl(fd, F_GETFD) & FD_CLOEXEC;
}

START_TEST(creates_prepared_sockets)
{
	struct adopt_socket_kind kind;
	int fd;

	ck_assert_int_eq(adopt_socket_create(AF_UNIX, SOCK_SEQPACKET, &fd), 0);
	ck_assert(is_prepared(fd));
	ck_assert_int_eq(adopt_socket_inspect(fd, &kind), 0);
	ck_assert_int_eq(kind.family, AF_UNIX);
	ck_assert_int_eq(kind.type, SOCK_SEQPACKET);
	ck_assert(!kind.listening);
	ck_assert(!kind.connected);
	close(fd);
}
END_TEST

START_TEST(creates_nothing_of_no_family)
{
	int fd = -7;

	ck_assert_int_eq(adopt_socket_create(AF_UNSPEC, SOCK_STREAM, &fd), -EAFNOSUPPORT);
	ck_assert_int_eq(fd, -7);
}
END_TEST

START_TEST(prepares_what_is_open)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert(!is_prepared(pair[0]));
	ck_assert_int_eq(adopt_descriptor_prepare(pair[0]), 0);
	ck_assert(is_prepared(pair[0]));
	close(pair[0]);
	close(pair[1]);
	ck_assert_int_eq(adopt_descriptor_prepare(pair[0]), -EBADF);
}
END_TEST

START_TEST(inspects)
{
	struct adopt_socket_kind kind = {.family = -7};
	int pair[2], ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(adopt_socket_inspect(ends[0], &kind), -ENOTSOCK);
	close(ends[0]);
	close(ends[1]);
	ck_assert_int_eq(adopt_socket_inspect(ends[0], &kind), -EBADF);
	ck_assert_int_eq(kind.family, -7);

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	ck_assert_int_eq(adopt_socket_inspect(pair[0], &kind), 0);
	ck_assert_int_eq(kind.type, SOCK_DGRAM);
	ck_assert(kind.connected);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("descriptor");
	TCase *tests = tcase_create("descriptor");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, creates_prepared_sockets);
	tcase_add_test(tests, creates_nothing_of_no_family);
	tcase_add_test(tests, prepares_what_is_open);
	tcase_add_test(tests, inspects);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
