/* systemd, --fd and inetd, and the list that all givers add to. */
#include "activation_case.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>
#include <sys/vfs.h>
#endif

static bool is_null_device(int fd)
{
	struct stat st, null;

	return fstat(fd, &st) == 0 && stat("/dev/null", &null) == 0 && st.st_rdev == null.st_rdev &&
	       S_ISCHR(st.st_mode);
}

#ifdef __linux__
static void announce(const char *fds, const char *names)
{
	char pid[32];

	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", fds, 1);
	if (names)
		setenv("LISTEN_FDNAMES", names, 1);
	setenv("REMOTE_ADDR", "127.0.0.1", 1);
	setenv("REMOTE_PORT", "4711", 1);
}

static void assert_unset(void)
{
	ck_assert_ptr_null(getenv("LISTEN_PID"));
	ck_assert_ptr_null(getenv("LISTEN_FDS"));
	ck_assert_ptr_null(getenv("LISTEN_FDNAMES"));
	ck_assert_ptr_null(getenv("LISTEN_PIDFDID"));
	ck_assert_ptr_null(getenv("REMOTE_ADDR"));
	ck_assert_ptr_null(getenv("REMOTE_PORT"));
}

START_TEST(systemd_names_repeat)
{
	for (int fd = 3; fd < 6; fd++)
		place_listener(fd);
	announce("3", "web:dns:web");
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 3);
	assert_item(0, "web", 3, "systemd");
	assert_item(1, "dns", 4, "systemd");
	assert_item(2, "web", 5, "systemd");
	ck_assert_uint_eq(list.note_count, 0);
	assert_unset();
}
END_TEST

START_TEST(systemd_without_names)
{
	place_listener(3);
	place_connection(4);
	announce("2", NULL);
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 2);
	assert_item(0, "unknown", 3, "systemd");
	assert_item(1, "connection", 4, "systemd");
	assert_unset();
}
END_TEST

START_TEST(systemd_name_given_to_a_connection_stays)
{
	place_connection(3);
	announce("1", "ssh");
	ck_assert_int_eq(collect(), 0);
	assert_item(0, "ssh", 3, "systemd");
}
END_TEST

/* What StandardInput=socket gives besides must neither be taken twice nor be kept. */
START_TEST(systemd_connection_is_on_standard_descriptors_too)
{
	place_connection(3);
	for (int fd = 0; fd <= 1; fd++)
		ck_assert_int_eq(dup2(3, fd), fd);
	announce("1", "connection");
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 1);
	ck_assert(is_null_device(0));
	ck_assert(is_null_device(1));
	ck_assert(!list.stderr_taken);
}
END_TEST

/* What adoptd itself has had it store is marked, and keeps its name. */
START_TEST(systemd_stores_what_was_opened)
{
	place_listener(3);
	place_listener(4);
	announce("2", "web:adoptd-listen-4711");
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 2);
	assert_item(0, "web", 3, "systemd");
	ck_assert(!list.items[0].opened);
	assert_item(1, "adoptd-listen-4711", 4, "systemd");
	ck_assert(list.items[1].opened);
}
END_TEST

START_TEST(systemd_meant_another_pid)
{
	place_listener(3);
	announce("1", "web");
	setenv("LISTEN_PID", "1", 1);
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 0);
	ck_assert_uint_eq(list.note_count, 1);
	ck_assert_ptr_nonnull(strstr(list.notes[0], "LISTEN_PID=1 "));
	assert_unset();
}
END_TEST

START_TEST(systemd_count_is_absurd)
{
	static const char *const counts[] = {"0",    "-1", "2147483647", "99999999999",
					     "four", "",   "1x"};
	int r;

	place_listener(3);
	announce(counts[_i], NULL);
	r = collect();
	ck_assert_int_lt(r, 0);
	assert_failed(r, r, counts[_i]);
	ck_assert_uint_eq(list.count, 0);
	assert_unset();
}
END_TEST

START_TEST(systemd_descriptor_is_not_open)
{
	place_listener(3);
	close(4);
	announce("2", "web:dns");
	assert_failed(collect(), -EBADF, "descriptor 4 (\"dns\") is not open");
	ck_assert_uint_eq(list.count, 0);
	assert_unset();
}
END_TEST

START_TEST(systemd_count_is_far_too_high)
{
	place_listener(3);
	close(4);
	announce("1000000", NULL);
	assert_failed(collect(), -EBADF, "descriptor 4 (\"unknown\") is not open");
	assert_unset();
}
END_TEST

START_TEST(systemd_names_do_not_match_the_count)
{
	place_listener(3);
	announce("1", "web:dns");
	assert_failed(collect(), -EINVAL, "LISTEN_FDNAMES=web:dns");
	assert_unset();
}
END_TEST

/* The same rule as giver_systemd's; false where the kernel has no pidfs. */
static bool own_pidfd_inode(unsigned long long *ret)
{
	struct statfs fs;
	struct stat st;
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	bool known =
		fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == 0x50494446 && fstat(fd, &st) == 0;

	if (fd >= 0)
		close(fd);
	if (known)
		*ret = (unsigned long long)st.st_ino;
	return known;
}

/* Row 0: the process's own number. Row 1: another's. Row 2: none. */
START_TEST(systemd_pidfd_id)
{
	unsigned long long own = 0;
	bool known = own_pidfd_inode(&own);
	char text[32];

	place_listener(3);
	announce("1", "web");
	snprintf(text, sizeof text, "%llu", own + (unsigned)_i);
	setenv("LISTEN_PIDFDID", _i == 2 ? "none" : text, 1);
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, _i == 0 || !known ? 1 : 0);
	ck_assert_uint_eq(list.note_count, _i == 0 || !known ? 0 : 1);
	assert_unset();
}
END_TEST
#endif

START_TEST(fd_option_names)
{
	const char *const options[] = {"web=10", "11", "a=b=12", NULL};

	for (int fd = 10; fd < 13; fd++)
		place_listener(fd);
	ck_assert_int_eq(collect_with(options), 0);
	ck_assert_uint_eq(list.count, 3);
	assert_item(0, "web", 10, "--fd");
	assert_item(1, "listeners", 11, "--fd");
	assert_item(2, "a=b", 12, "--fd");
}
END_TEST

START_TEST(fd_option_zero_wins_over_inetd)
{
	const char *const options[] = {"web=0", NULL};

	place_listener(0);
	ck_assert_int_eq(collect_with(options), 0);
	ck_assert_uint_eq(list.count, 1);
	assert_item(0, "web", 0, "--fd");
	ck_assert(is_null_device(0));
}
END_TEST

START_TEST(fd_option_is_badly_written)
{
	static const char *const bad[] = {"",       "=3", "web=",           "web", "-1", "3x",
					  "web=+3", " 3", "99999999999999", "3.0", "="};
	const char *const options[] = {bad[_i], NULL};

	assert_failed(collect_with(options), -EINVAL, "must be FD or NAME=FD");
	ck_assert_uint_eq(list.count, 0);
}
END_TEST

START_TEST(fd_option_is_not_open)
{
	const char *const options[] = {"web=900", NULL};

	assert_failed(collect_with(options), -EBADF, "--fd web=900: descriptor 900 is not open");
}
END_TEST

START_TEST(fd_option_is_given_twice)
{
	const char *const options[] = {"web=10", "dns=10", NULL};

	place_listener(10);
	assert_failed(collect_with(options), -EEXIST,
		      "--fd dns=10: --fd gave descriptor 10 already, as \"web\"");
	ck_assert_uint_eq(list.count, 1);
}
END_TEST

/* Non-blocking would outlive adoptd in a terminal that was given by mistake. */
START_TEST(what_is_no_socket_stays_blocking)
{
	const char *const options[] = {"10", NULL};
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	place(ends[0], 10);
	ck_assert_int_eq(collect_with(options), 0);
	ck_assert_uint_eq(list.count, 1);
	ck_assert_int_eq(fcntl(10, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(10, F_GETFL) & O_NONBLOCK, 0);
	close(ends[1]);
}
END_TEST

/* Row 0: stderr is something else. Row 1: it is the connection too. */
START_TEST(inetd_connection)
{
	char byte;

	place_connection(0);
	ck_assert_int_eq(dup2(0, 1), 1);
	if (_i == 1)
		ck_assert_int_eq(dup2(0, 2), 2);
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 1);
	assert_item(0, "inetd", 0, "inetd");
	ck_assert(is_null_device(0));
	ck_assert(is_null_device(1));
	ck_assert_int_eq(list.stderr_taken, _i == 1);

	/* Nothing but the list holds the connection. */
	inherited_drop(&list, list.items[0].fd);
	ck_assert_uint_eq(list.count, 0);
	ck_assert_int_eq(recv(PEER, &byte, 1, MSG_DONTWAIT), 0);
}
END_TEST

START_TEST(inetd_wait_gives_a_datagram_socket)
{
	place(socket(AF_INET, SOCK_DGRAM, 0), 0);
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 1);
	assert_item(0, "inetd", 0, "inetd");
}
END_TEST

START_TEST(inetd_leaves_what_is_no_socket)
{
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 0);
	close(0);
	ck_assert_int_eq(collect(), 0);
	ck_assert_uint_eq(list.count, 0);
}
END_TEST

START_TEST(drop_takes_one_and_frees_its_number)
{
	for (int fd = 10; fd < 13; fd++) {
		place_listener(fd);
		ck_assert_int_eq(inherited_add(&list, "web", fd, "test"), 0);
	}
	inherited_drop(&list, 11);
	inherited_drop(&list, 99);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_int_eq(list.items[0].fd, 10);
	ck_assert_int_eq(list.items[1].fd, 12);
	ck_assert_int_eq(fcntl(11, F_GETFD), -1);
	inherited_free(&list);
	ck_assert_int_eq(fcntl(10, F_GETFD), -1);
	ck_assert_int_eq(fcntl(12, F_GETFD), -1);
}
END_TEST

START_TEST(numbered_names_are_split)
{
	size_t length = 77, index = 77;

	ck_assert(!inherited_split_name("web", &length, &index));
	ck_assert(!inherited_split_name("web#", &length, &index));
	ck_assert(!inherited_split_name("web#x", &length, &index));
	ck_assert(!inherited_split_name("web#-1", &length, &index));
	ck_assert(!inherited_split_name("web#99999999999999999999", &length, &index));
	ck_assert_uint_eq(length, 77);
	ck_assert_uint_eq(index, 77);
	ck_assert(inherited_split_name("web#0", &length, &index));
	ck_assert_uint_eq(length, 3);
	ck_assert_uint_eq(index, 0);
	ck_assert(inherited_split_name("a#b#12", &length, &index));
	ck_assert_uint_eq(length, 3);
	ck_assert_uint_eq(index, 12);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("activation");
	TCase *tcase;

	activation_take_numbers();
#ifdef __linux__
	tcase = activation_add_case(suite, "systemd");
	tcase_add_test(tcase, systemd_names_repeat);
	tcase_add_test(tcase, systemd_without_names);
	tcase_add_test(tcase, systemd_name_given_to_a_connection_stays);
	tcase_add_test(tcase, systemd_connection_is_on_standard_descriptors_too);
	tcase_add_test(tcase, systemd_stores_what_was_opened);
	tcase_add_test(tcase, systemd_meant_another_pid);
	tcase_add_loop_test(tcase, systemd_count_is_absurd, 0, 7);
	tcase_add_test(tcase, systemd_descriptor_is_not_open);
	tcase_add_test(tcase, systemd_count_is_far_too_high);
	tcase_add_test(tcase, systemd_names_do_not_match_the_count);
	tcase_add_loop_test(tcase, systemd_pidfd_id, 0, 3);
#endif
	tcase = activation_add_case(suite, "--fd");
	tcase_add_test(tcase, fd_option_names);
	tcase_add_test(tcase, fd_option_zero_wins_over_inetd);
	tcase_add_loop_test(tcase, fd_option_is_badly_written, 0, 11);
	tcase_add_test(tcase, fd_option_is_not_open);
	tcase_add_test(tcase, fd_option_is_given_twice);
	tcase_add_test(tcase, what_is_no_socket_stays_blocking);
	tcase = activation_add_case(suite, "inetd");
	tcase_add_loop_test(tcase, inetd_connection, 0, 2);
	tcase_add_test(tcase, inetd_wait_gives_a_datagram_socket);
	tcase_add_test(tcase, inetd_leaves_what_is_no_socket);
	tcase = activation_add_case(suite, "list");
	tcase_add_test(tcase, drop_takes_one_and_frees_its_number);
	tcase_add_test(tcase, numbered_names_are_split);
	return activation_run(suite);
}
