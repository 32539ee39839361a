/* Sockets of adoptd's own; UNIX paths lie in a directory of the test's. */
#include "support/listen.h"

#include "adopt/adopt.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct listen_set set;
static char directory[] = "/tmp/adoptd-test-XXXXXX";
static char path[64], text[96];

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/socket", directory);
	snprintf(text, sizeof text, "unix:%s", path);
}

static void teardown(void)
{
	listen_close(&set);
	unlink(path);
	rmdir(directory);
}

static void assert_socket(size_t i, int family, int type)
{
	struct adopt_socket_kind kind;

	ck_assert_uint_lt(i, set.count);
	ck_assert_int_eq(adopt_socket_inspect(set.items[i].socket->fd, &kind), 0);
	ck_assert_int_eq(kind.family, family);
	ck_assert_int_eq(kind.type, type);
	ck_assert_int_eq(kind.listening, type != SOCK_DGRAM);
	ck_assert_int_eq(fcntl(set.items[i].socket->fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_ne(fcntl(set.items[i].socket->fd, F_GETFL) & O_NONBLOCK, 0);
}

static unsigned port_of(size_t i)
{
	struct adopt_address address = {.length = sizeof address.name};

	ck_assert_int_eq(getsockname(set.items[i].socket->fd, &address.name.any, &address.length),
			 0);
	return adopt_address_port(&address);
}

static bool exists(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0;
}

static const struct {
	const char *text;
	int result;
} checks[] = {
	{"127.0.0.1:80", 0},
	{"[::1]:80", 0},
	{"localhost:80", 0},
	{"udp:127.0.0.1:53", 0},
	{"udp:[::1]:53", 0},
	{"udp:localhost:53", 0},
	{"unix:/run/a", 0},
	{"unix:@a", 0},
	{"unix-dgram:/run/a", 0},
	{"unix-dgram:@a", 0},
	{"unix-seqpacket:/run/a", 0},
	{"", -EINVAL},
	{"80", -EINVAL},
	{"127.0.0.1", -EINVAL},
	{"127.0.0.1:65536", -EINVAL},
	{"udp:", -EINVAL},
	{"udp:unix:/run/a", -EINVAL},
	{"udp:vsock:1:2", -EINVAL},
	{"udp:udp:127.0.0.1:53", -EINVAL},
	{"unix:", -EINVAL},
	{"unix-dgram:", -EINVAL},
	{"tcp:127.0.0.1:80", -EINVAL},
};

START_TEST(texts_are_judged)
{
	ck_assert_int_eq(listen_check(checks[_i].text), checks[_i].result);
	if (checks[_i].result < 0)
		ck_assert_int_eq(listen_open(&set, NULL, checks[_i].text), checks[_i].result);
	ck_assert_uint_eq(set.count, 0);
}
END_TEST

START_TEST(a_unix_path_may_be_too_long)
{
	char long_text[256];

	snprintf(long_text, sizeof long_text, "unix-dgram:/%0200d", 0);
	ck_assert_int_eq(listen_check(long_text), -ENAMETOOLONG);
}
END_TEST

START_TEST(tcp_and_udp)
{
	ck_assert_int_eq(listen_open(&set, NULL, "127.0.0.1:0"), 0);
	ck_assert_int_eq(listen_open(&set, NULL, "udp:127.0.0.1:0"), 0);
	ck_assert_uint_eq(set.count, 2);
	assert_socket(0, AF_INET, SOCK_STREAM);
	assert_socket(1, AF_INET, SOCK_DGRAM);
}
END_TEST

/* Opens what is to have one port on several addresses, where others may have sockets too:
 * a port that somebody has on one of them is left for another. Returns as listen_open(). */
static int open_where_free(int (*open_all)(const char *what), const char *what)
{
	int r = -EADDRINUSE;

	for (unsigned tries = 0; tries < 20 && r == -EADDRINUSE; tries++) {
		listen_close(&set);
		r = open_all(what);
	}
	return r;
}

static int open_side_by_side(const char *prefix)
{
	int r;

	snprintf(text, sizeof text, "%s[::]:0", prefix);
	r = listen_open(&set, NULL, text);
	if (r < 0)
		return r;
	snprintf(text, sizeof text, "%s0.0.0.0:%u", prefix, port_of(0));
	return listen_open(&set, NULL, text);
}

/* Row 0: streams. Row 1: datagrams. */
START_TEST(ipv4_and_ipv6_stand_side_by_side)
{
	int r = open_where_free(open_side_by_side, _i ? "udp:" : "");

	if (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL)
		return; /* a machine without IPv6 */
	ck_assert_int_eq(r, 0);
	assert_socket(0, AF_INET6, _i ? SOCK_DGRAM : SOCK_STREAM);
	assert_socket(1, AF_INET, _i ? SOCK_DGRAM : SOCK_STREAM);
}
END_TEST

START_TEST(a_port_is_taken_once)
{
	const char *prefix = _i ? "udp:" : "";

	snprintf(text, sizeof text, "%s127.0.0.1:0", prefix);
	ck_assert_int_eq(listen_open(&set, NULL, text), 0);
	snprintf(text, sizeof text, "%s127.0.0.1:%u", prefix, port_of(0));
	ck_assert_int_eq(listen_open(&set, NULL, text), -EADDRINUSE);
	ck_assert_uint_eq(set.count, 1);
}
END_TEST

static unsigned named_port;

static int open_by_name(const char *name)
{
	ck_assert_int_eq(listen_open(&set, NULL, "127.0.0.1:0"), 0);
	named_port = port_of(0);
	listen_close(&set);
	snprintf(text, sizeof text, "%s:%u", name, named_port);
	return listen_open(&set, NULL, text);
}

START_TEST(a_name_gives_all_its_addresses)
{
	ck_assert_int_eq(open_where_free(open_by_name, "localhost"), 0);
	ck_assert_uint_ge(set.count, 1);
	for (size_t i = 0; i < set.count; i++)
		ck_assert_uint_eq(port_of(i), named_port);
}
END_TEST

static const struct {
	const char *prefix;
	int type;
} unix_forms[] = {
	{"unix:", SOCK_STREAM},
	{"unix-dgram:", SOCK_DGRAM},
	{"unix-seqpacket:", SOCK_SEQPACKET},
};

START_TEST(unix_path_is_unlinked_at_the_end)
{
	snprintf(text, sizeof text, "%s%s", unix_forms[_i].prefix, path);
	ck_assert_int_eq(listen_open(&set, NULL, text), 0);
	assert_socket(0, AF_UNIX, unix_forms[_i].type);
	ck_assert(exists(path));
	listen_close(&set);
	ck_assert(!exists(path));
}
END_TEST

START_TEST(unix_path_of_an_earlier_run_is_replaced)
{
	snprintf(text, sizeof text, "%s%s", unix_forms[_i].prefix, path);
	ck_assert_int_eq(listen_open(&set, NULL, text), 0);
	/* As a run that was killed leaves it. */
	close(set.items[0].socket->fd);
	set.items[0].socket->fd = -1;
	free(set.items[0].socket->path);
	set.items[0].socket->path = NULL;
	ck_assert(exists(path));
	ck_assert_int_eq(listen_open(&set, NULL, text), 0);
	assert_socket(1, AF_UNIX, unix_forms[_i].type);
}
END_TEST

START_TEST(unix_path_that_answers_is_left_alone)
{
	struct stat before, after;

	snprintf(text, sizeof text, "%s%s", unix_forms[_i].prefix, path);
	ck_assert_int_eq(listen_open(&set, NULL, text), 0);
	ck_assert_int_eq(lstat(path, &before), 0);
	for (size_t i = 0; i < 3; i++) {
		snprintf(text, sizeof text, "%s%s", unix_forms[i].prefix, path);
		ck_assert_int_eq(listen_open(&set, NULL, text), -EADDRINUSE);
	}
	ck_assert_int_eq(lstat(path, &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_uint_eq(set.count, 1);
}
END_TEST

START_TEST(a_file_is_never_replaced)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(listen_open(&set, NULL, text), -EADDRINUSE);
	ck_assert(exists(path));
}
END_TEST

START_TEST(a_path_that_is_anothers_by_now_stays)
{
	struct listen_set other = {0};
	char moved[80];

	ck_assert_int_eq(listen_open(&set, NULL, text), 0);
	snprintf(moved, sizeof moved, "%s/moved", directory);
	ck_assert_int_eq(rename(path, moved), 0);
	ck_assert_int_eq(listen_open(&other, NULL, text), 0);
	listen_close(&set);
	ck_assert(exists(path));
	listen_close(&other);
	ck_assert(!exists(path));
	ck_assert_int_eq(unlink(moved), 0);
}
END_TEST

START_TEST(abstract_names_leave_nothing)
{
	snprintf(text, sizeof text, "unix:@adoptd-test-%ld", (long)getpid());
	ck_assert_int_eq(listen_open(&set, NULL, text), 0);
	assert_socket(0, AF_UNIX, SOCK_STREAM);
	ck_assert_ptr_null(set.items[0].socket->path);
	ck_assert_int_eq(listen_open(&set, NULL, text), -EADDRINUSE);
}
END_TEST

START_TEST(a_missing_directory_is_told)
{
	snprintf(text, sizeof text, "unix:%s/missing/socket", directory);
	ck_assert_int_eq(listen_open(&set, NULL, text), -ENOENT);
	ck_assert_uint_eq(set.count, 0);
}
END_TEST

/* --- sets that share sockets --- */

static struct listen_set next;

static void teardown_both(void)
{
	listen_close(&next);
	teardown();
}

START_TEST(the_same_text_shares_its_sockets)
{
	ck_assert_int_eq(listen_open(&set, NULL, "127.0.0.1:0"), 0);
	ck_assert_int_eq(listen_open(&set, NULL, "udp:127.0.0.1:0"), 0);
	ck_assert_int_eq(listen_open(&next, &set, "udp:127.0.0.1:0"), 0);
	ck_assert_uint_eq(next.count, 1);
	ck_assert_ptr_eq(next.items[0].socket, set.items[1].socket);
	listen_close(&set);
	ck_assert_int_ge(fcntl(next.items[0].socket->fd, F_GETFD), 0);
}
END_TEST

/* Row 0: a stream. Row 1: a datagram socket, which has not the stream's. */
START_TEST(the_same_address_shares_its_socket)
{
	ck_assert_int_eq(listen_open(&set, NULL, "127.0.0.1:0"), 0);
	snprintf(text, sizeof text, "%s127.0.0.1:%u", _i ? "udp:" : "", port_of(0));
	ck_assert_int_eq(listen_open(&next, &set, text), 0);
	ck_assert_uint_eq(next.count, 1);
	ck_assert_int_eq(next.items[0].socket == set.items[0].socket, _i == 0);
	ck_assert_str_eq(next.items[0].text, text);
}
END_TEST

START_TEST(a_shared_socket_is_taken_once)
{
	ck_assert_int_eq(listen_open(&set, NULL, text), 0);
	ck_assert_int_eq(listen_open(&next, &set, text), 0);
	ck_assert_int_eq(listen_open(&next, &set, text), -EADDRINUSE);
	ck_assert_uint_eq(next.count, 1);
}
END_TEST

/* A descriptor of the set's first socket that an adoptd before this one might have. */
static int duplicate(void)
{
	int fd = fcntl(set.items[0].socket->fd, F_DUPFD_CLOEXEC, 3);

	ck_assert_int_ge(fd, 0);
	return fd;
}

START_TEST(what_another_opened_is_taken)
{
	struct listen_set taken = {0};

	ck_assert_int_eq(listen_open(&set, NULL, "127.0.0.1:0"), 0);
	ck_assert_int_eq(listen_take(&taken, duplicate(), ""), 0);
	snprintf(text, sizeof text, "127.0.0.1:%u", port_of(0));
	listen_close(&set);
	ck_assert_int_eq(listen_open(&set, &taken, text), 0);
	ck_assert_ptr_eq(set.items[0].socket, taken.items[0].socket);
	ck_assert(listen_has(&set, taken.items[0].socket));
	listen_close(&taken);
	ck_assert(!listen_has(&taken, set.items[0].socket));
}
END_TEST

/* Row 0: it was lent. Row 1: it is this one's by now. */
START_TEST(a_taken_path_stays_until_it_is_ours)
{
	ck_assert_int_eq(listen_open(&set, NULL, text), 0);
	ck_assert_int_eq(listen_take(&next, duplicate(), text), 0);
	listen_leave_paths(&set, true);
	listen_close(&set);
	ck_assert(exists(path));
	if (_i == 1)
		listen_leave_paths(&next, false);
	listen_close(&next);
	ck_assert_int_eq(exists(path), _i == 0);
}
END_TEST

START_TEST(what_nobody_can_reach_is_not_taken)
{
	int fd;

	ck_assert_int_eq(listen_open(&set, NULL, text), 0);
	fd = duplicate();
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(listen_take(&next, fd, text), -ENOENT);
	ck_assert_uint_eq(next.count, 0);
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

/* --- sockets that only some may connect to --- */

static mode_t mode_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(lstat(name, &st), 0);
	return st.st_mode & 07777;
}

/* Whatever the umask. */
START_TEST(a_path_has_the_mode_that_is_asked_for)
{
	const struct listen_access owner = {0600, (gid_t)-1}, group = {0660, getgid()};
	mode_t before = umask(_i ? 0077 : 0);

	ck_assert_int_eq(listen_open_path(&set, NULL, path, &owner), 0);
	assert_socket(0, AF_UNIX, SOCK_STREAM);
	ck_assert_uint_eq(mode_of(path), 0600);
	listen_close(&set);
	ck_assert(!exists(path));
	ck_assert_int_eq(listen_open_path(&set, NULL, path, &group), 0);
	ck_assert_uint_eq(mode_of(path), 0660);
	umask(before);
}
END_TEST

START_TEST(a_shared_path_changes_its_mode)
{
	const struct listen_access owner = {0600, (gid_t)-1}, group = {0660, (gid_t)-1};

	ck_assert_int_eq(listen_open_path(&set, NULL, path, &owner), 0);
	ck_assert_int_eq(listen_open_path(&next, &set, path, &group), 0);
	ck_assert_ptr_eq(next.items[0].socket, set.items[0].socket);
	ck_assert_uint_eq(mode_of(path), 0660);
	listen_close(&set);
	ck_assert(exists(path));
}
END_TEST

START_TEST(a_path_that_was_removed_is_made_anew)
{
	const struct listen_access owner = {0600, (gid_t)-1};

	ck_assert_int_eq(listen_open_path(&set, NULL, path, &owner), 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(listen_open_path(&next, &set, path, &owner), 0);
	ck_assert_ptr_ne(next.items[0].socket, set.items[0].socket);
	listen_close(&set);
	ck_assert(exists(path));
}
END_TEST

START_TEST(a_live_path_is_left_alone)
{
	const struct listen_access owner = {0600, (gid_t)-1};
	char long_path[200];

	ck_assert_int_eq(listen_open(&set, NULL, text), 0);
	ck_assert_int_eq(listen_open_path(&next, NULL, path, &owner), -EADDRINUSE);
	ck_assert(exists(path));
	snprintf(long_path, sizeof long_path, "/%0150d", 0);
	ck_assert_int_eq(listen_open_path(&next, NULL, long_path, &owner), -ENAMETOOLONG);
	ck_assert_uint_eq(next.count, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("listen");
	TCase *tcase = tcase_create("listen");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, texts_are_judged, 0, sizeof checks / sizeof checks[0]);
	tcase_add_test(tcase, a_unix_path_may_be_too_long);
	tcase_add_test(tcase, tcp_and_udp);
	tcase_add_loop_test(tcase, ipv4_and_ipv6_stand_side_by_side, 0, 2);
	tcase_add_loop_test(tcase, a_port_is_taken_once, 0, 2);
	tcase_add_test(tcase, a_name_gives_all_its_addresses);
	tcase_add_loop_test(tcase, unix_path_is_unlinked_at_the_end, 0, 3);
	tcase_add_loop_test(tcase, unix_path_of_an_earlier_run_is_replaced, 0, 3);
	tcase_add_loop_test(tcase, unix_path_that_answers_is_left_alone, 0, 3);
	tcase_add_test(tcase, a_file_is_never_replaced);
	tcase_add_test(tcase, a_path_that_is_anothers_by_now_stays);
	tcase_add_test(tcase, abstract_names_leave_nothing);
	tcase_add_test(tcase, a_missing_directory_is_told);
	tcase = tcase_create("sharing");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown_both);
	tcase_add_test(tcase, the_same_text_shares_its_sockets);
	tcase_add_loop_test(tcase, the_same_address_shares_its_socket, 0, 2);
	tcase_add_test(tcase, a_shared_socket_is_taken_once);
	tcase_add_test(tcase, what_another_opened_is_taken);
	tcase_add_loop_test(tcase, a_taken_path_stays_until_it_is_ours, 0, 2);
	tcase_add_test(tcase, what_nobody_can_reach_is_not_taken);
	tcase_add_loop_test(tcase, a_path_has_the_mode_that_is_asked_for, 0, 2);
	tcase_add_test(tcase, a_shared_path_changes_its_mode);
	tcase_add_test(tcase, a_path_that_was_removed_is_made_anew);
	tcase_add_test(tcase, a_live_path_is_left_alone);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
