/* Messages with descriptors over real sockets. */
#include "support/fd_socket.h"
#include "support/pipe.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOUND_MS 20000

static int ends[2];
static struct fd_message message;
static struct fd_received received;
static const struct fd_message_record record = {.name = "web", .source = "--fd", .number = 3};

static void setup(void)
{
	ck_assert_int_eq(pipe_open_sockets(SOCK_STREAM, ends), 0);
	fd_message_begin(&message, FD_MESSAGE_DESCRIPTORS);
}

static void teardown(void)
{
	fd_received_done(&received);
	for (int i = 0; i < 2; i++)
		if (ends[i] >= 0)
			close(ends[i]);
}

static void hang_up(void)
{
	close(ends[0]);
	ends[0] = -1;
}

static void add(int fd)
{
	ck_assert_int_eq(fd_message_add(&message, fd, &record), 0);
}

static bool same_file(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

static size_t open_descriptors(void)
{
	size_t count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

START_TEST(the_pair_is_clean)
{
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(fcntl(ends[i], F_GETFD), FD_CLOEXEC);
		ck_assert_int_ne(fcntl(ends[i], F_GETFL) & O_NONBLOCK, 0);
	}
}
END_TEST

START_TEST(descriptors_arrive)
{
	size_t sent = 0, before = open_descriptors();

	add(ends[0]);
	add(STDERR_FILENO);
	ck_assert_int_eq(fd_socket_send(ends[0], &message, &sent), 0);
	ck_assert_uint_eq(sent, message.length);
	ck_assert_int_eq(fd_socket_receive(ends[1], 0, &received), 0);
	ck_assert_uint_eq(received.fd_count, 2);
	ck_assert_uint_eq(received.header.kind, FD_MESSAGE_DESCRIPTORS);
	ck_assert_uint_eq(received.header.body_bytes, message.length - FD_MESSAGE_HEADER_BYTES);
	ck_assert_mem_eq(received.body, message.bytes + FD_MESSAGE_HEADER_BYTES,
			 received.header.body_bytes);
	ck_assert(same_file(received.fds[0], ends[0]));
	ck_assert(same_file(received.fds[1], STDERR_FILENO));
	ck_assert_int_eq(fcntl(received.fds[0], F_GETFD), FD_CLOEXEC);
	fd_received_done(&received);
	ck_assert_uint_eq(open_descriptors(), before);
}
END_TEST

START_TEST(what_was_taken_out_stays_open)
{
	int fd;

	add(STDERR_FILENO);
	ck_assert_int_eq(fd_socket_send_all(ends[0], &message, 0), 0);
	ck_assert_int_eq(fd_socket_receive(ends[1], 0, &received), 0);
	fd = received.fds[0];
	received.fds[0] = -1;
	fd_received_done(&received);
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

/* Each keeps its own: neither bytes nor descriptors of the next come with it. */
START_TEST(messages_do_not_mix)
{
	for (int i = 0; i < 3; i++) {
		fd_message_begin(&message, FD_MESSAGE_DESCRIPTORS);
		for (int j = 0; j < i; j++)
			add(STDERR_FILENO);
		ck_assert_int_eq(fd_socket_send_all(ends[0], &message, 0), 0);
	}
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(fd_socket_receive(ends[1], 0, &received), 0);
		ck_assert_uint_eq(received.fd_count, i);
		fd_received_done(&received);
	}
}
END_TEST

static void *receive_all(void *context)
{
	size_t *count = context;

	for (;;) {
		int error = fd_socket_receive(ends[1], BOUND_MS, &received);

		if (error == -ECONNRESET)
			return NULL;
		ck_assert_int_eq(error, 0);
		*count += received.fd_count;
		fd_received_done(&received);
	}
}

/* As many as a message takes, and texts so long that it does not go at once. */
START_TEST(long_messages_arrive)
{
	static char name[60000];
	struct fd_message_record long_record = {.name = name, .source = "listen", .opened = true};
	size_t count = 0;
	pthread_t thread;

	memset(name, 'x', sizeof name - 1);
	ck_assert_int_eq(pthread_create(&thread, NULL, receive_all, &count), 0);
	for (int i = 0; i < 20; i++) {
		fd_message_begin(&message, FD_MESSAGE_DESCRIPTORS);
		ck_assert_int_eq(fd_message_add(&message, STDERR_FILENO, &long_record), 0);
		while (message.fd_count < FD_MESSAGE_FDS_MAX)
			add(STDERR_FILENO);
		ck_assert_int_eq(fd_socket_send_all(ends[0], &message, BOUND_MS), 0);
	}
	hang_up();
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(count, 20 * FD_MESSAGE_FDS_MAX);
}
END_TEST

START_TEST(a_full_socket_is_told)
{
	size_t sent = 0;
	int error;

	do {
		sent = 0;
		error = fd_socket_send(ends[0], &message, &sent);
	} while (error == 0);
	ck_assert_int_eq(error, -EAGAIN);
	ck_assert_int_eq(fd_socket_send_all(ends[0], &message, 1), -ETIMEDOUT);
}
END_TEST

START_TEST(who_is_gone_is_told)
{
	hang_up();
	ck_assert_int_eq(fd_socket_receive(ends[1], BOUND_MS, &received), -ECONNRESET);
	ck_assert_int_eq(fd_socket_send_all(ends[1], &message, BOUND_MS), -EPIPE);
}
END_TEST

/* Row 0: nothing. Row 1: half a header. Row 2: no body. */
START_TEST(silence_has_an_end)
{
	static const size_t lengths[] = {0, 8, FD_MESSAGE_HEADER_BYTES};

	add(STDERR_FILENO);
	ck_assert_int_eq(send(ends[0], message.bytes, lengths[_i], 0), (int)lengths[_i]);
	ck_assert_int_eq(fd_socket_receive(ends[1], 10, &received), -ETIMEDOUT);
}
END_TEST

/* Row 0: more than the header says. Row 1: fewer. Row 2: what is no message. */
START_TEST(what_does_not_fit_is_refused_and_closed)
{
	size_t before = open_descriptors();

	add(STDERR_FILENO);
	add(STDERR_FILENO);
	if (_i == 0)
		message.bytes[15] = 1;
	if (_i == 1)
		message.fd_count = 1;
	if (_i == 2)
		message.bytes[0] = '?';
	ck_assert_int_eq(fd_socket_send_all(ends[0], &message, 0), 0);
	ck_assert_int_eq(fd_socket_receive(ends[1], BOUND_MS, &received), -EBADMSG);
	ck_assert_uint_eq(open_descriptors(), before);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fd_socket");
	TCase *tcase = tcase_create("fd_socket");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, the_pair_is_clean);
	tcase_add_test(tcase, descriptors_arrive);
	tcase_add_test(tcase, what_was_taken_out_stays_open);
	tcase_add_test(tcase, messages_do_not_mix);
	tcase_add_test(tcase, long_messages_arrive);
	tcase_add_test(tcase, a_full_socket_is_told);
	tcase_add_test(tcase, who_is_gone_is_told);
	tcase_add_loop_test(tcase, silence_has_an_end, 0, 3);
	tcase_add_loop_test(tcase, what_does_not_fit_is_refused_and_closed, 0, 3);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
