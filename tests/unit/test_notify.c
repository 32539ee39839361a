/* What the supervisor is told, at a socket of the test's. */
#include "daemon/keep.h"
#include "daemon/notify.h"
#include "daemon/notify_socket.h"
#include "support/fd_socket.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char directory[] = "/tmp/adoptd-test-XXXXXX";
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static int supervisor;
static char said[2048];
static int said_fd = -1;

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", directory);
	supervisor = socket(AF_UNIX, SOCK_DGRAM, 0);
	ck_assert_int_eq(bind(supervisor, (struct sockaddr *)&address, sizeof address), 0);
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	unsetenv("FDSTORE");
}

static void teardown(void)
{
	notify_silence(false);
	close(supervisor);
	unlink(address.sun_path);
	rmdir(directory);
}

/* Receives what was said, and the descriptor that came along. */
static ssize_t receive(int flags)
{
	union {
		struct cmsghdr header;
		unsigned char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec bytes = {.iov_base = said, .iov_len = sizeof said - 1};
	struct msghdr message = {.msg_iov = &bytes,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof control};
	ssize_t length = recvmsg(supervisor, &message, flags);
	const struct cmsghdr *first = length < 0 ? NULL : CMSG_FIRSTHDR(&message);

	said_fd = -1;
	if (first && first->cmsg_type == SCM_RIGHTS)
		memcpy(&said_fd, CMSG_DATA(first), sizeof said_fd);
	if (length >= 0)
		said[length] = '\0';
	return length;
}

static void assert_said(const char *text)
{
	ck_assert_int_gt(receive(MSG_DONTWAIT), 0);
	ck_assert_str_eq(said, text);
}

static void assert_silent(void)
{
	ck_assert_int_lt(receive(MSG_DONTWAIT), 0);
}

START_TEST(the_main_process_is_another)
{
	notify_main_pid(4711, "Handing over");
	assert_said("MAINPID=4711\nREADY=1\nSTATUS=Handing over");
}
END_TEST

START_TEST(silence)
{
	ck_assert(notify_wanted());
	notify_silence(true);
	ck_assert(!notify_wanted());
	notify_ready("x");
	notify_watchdog();
	notify_main_pid(1, "x");
	notify_store_remove("x");
	ck_assert(!notify_store(supervisor, "x"));
	assert_silent();
	notify_silence(false);
	notify_status("x");
	assert_said("STATUS=x");
}
END_TEST

START_TEST(nobody_listens)
{
	unsetenv("NOTIFY_SOCKET");
	ck_assert(!notify_wanted());
	ck_assert_int_eq(notify_socket_send("READY=1", -1), -ENOENT);
	ck_assert(!notify_store(supervisor, "x"));
}
END_TEST

START_TEST(descriptors_are_stored)
{
	struct stat one, other;

	ck_assert(notify_store(supervisor, "name"));
	assert_said("FDSTORE=1\nFDPOLL=0\nFDNAME=name");
	ck_assert_int_ge(said_fd, 0);
	ck_assert_int_eq(fstat(supervisor, &one), 0);
	ck_assert_int_eq(fstat(said_fd, &other), 0);
	ck_assert_uint_eq(one.st_ino, other.st_ino);
	close(said_fd);
}
END_TEST

/* Rows: what FDSTORE says, and how many of two sockets are stored. */
START_TEST(the_store_may_be_small)
{
	static const struct {
		const char *room;
		unsigned stored;
	} rows[] = {{NULL, 2}, {"7", 2}, {"1", 1}, {"0", 0}};
	struct listen_set set = {0};
	unsigned stored = 0;

	if (rows[_i].room)
		setenv("FDSTORE", rows[_i].room, 1);
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(listen_open(&set, NULL, "127.0.0.1:0"), 0);
	keep_store(&set);
	while (receive(MSG_DONTWAIT) > 0) {
		ck_assert_int_ge(said_fd, 0);
		ck_assert_ptr_nonnull(strstr(said, "FDNAME=" STORED_PREFIX));
		ck_assert(set.items[stored].socket->path_stays);
		stored++;
		close(said_fd);
	}
	ck_assert_uint_eq(stored, rows[_i].stored);
	if (stored < 2)
		ck_assert(!set.items[stored].socket->path_stays);
	listen_close(&set);
}
END_TEST

/* Each socket has a name of its own, by which it is removed. */
START_TEST(what_is_listened_on_no_more_is_removed)
{
	struct listen_set before = {0}, now = {0};
	char name[256];

	ck_assert_int_eq(listen_open(&before, NULL, "127.0.0.1:0"), 0);
	ck_assert_int_eq(listen_open(&before, NULL, "udp:127.0.0.1:0"), 0);
	ck_assert_int_eq(listen_open(&now, &before, "127.0.0.1:0"), 0);
	keep_store(&before);
	ck_assert_int_gt(receive(MSG_DONTWAIT), 0);
	close(said_fd);
	ck_assert_int_gt(receive(MSG_DONTWAIT), 0);
	close(said_fd);
	snprintf(name, sizeof name, "FDSTOREREMOVE=1\n%s", strstr(said, "FDNAME="));
	keep_forget(&before, &now);
	assert_said(name);
	assert_silent();
	ck_assert(now.items[0].socket->path_stays);
	ck_assert(!before.items[1].socket->path_stays);
	listen_close(&before);
	listen_close(&now);
}
END_TEST

#define MANY 2000

static void *hear_many(void *context)
{
	unsigned *heard = context;

	/* One that has other things to do at first: its socket is full by then. */
	while (*heard < MANY && receive(0) > 0)
		(*heard)++;
	return NULL;
}

/* More than there is room for. */
START_TEST(nothing_is_lost_where_there_is_no_room)
{
	unsigned sent = 0, heard = 0;
	int blunt = socket(AF_UNIX, SOCK_DGRAM, 0);
	pthread_t thread;

	while (sendto(blunt, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&address, sizeof address) ==
	       1)
		sent++;
	ck_assert_uint_lt(sent, MANY);
	ck_assert_int_eq(pthread_create(&thread, NULL, hear_many, &heard), 0);
	for (; sent < MANY; sent++)
		ck_assert_int_eq(notify_socket_send("STATUS=x", -1), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(heard, MANY);
	close(blunt);
}
END_TEST

START_TEST(the_supervisor_is_gone)
{
	close(supervisor);
	ck_assert_int_eq(notify_socket_send("READY=1", -1), -ECONNREFUSED);
	unlink(address.sun_path);
	ck_assert_int_eq(notify_socket_send("READY=1", -1), -ENOENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notify");
	TCase *tcase = tcase_create("notify");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, the_main_process_is_another);
	tcase_add_test(tcase, silence);
	tcase_add_test(tcase, nobody_listens);
	tcase_add_test(tcase, descriptors_are_stored);
	tcase_add_loop_test(tcase, the_store_may_be_small, 0, 4);
	tcase_add_test(tcase, what_is_listened_on_no_more_is_removed);
	tcase_add_test(tcase, nothing_is_lost_where_there_is_no_room);
	tcase_add_test(tcase, the_supervisor_is_gone);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
