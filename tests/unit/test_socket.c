/* Descriptors: what they are, and what makes them fit for adoption (contract rows 1, 2
 * and 4, and the rows without a number on families and blocking). */
#include "adopt/socket.h"
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/epoll.h>
#include <sys/eventfd.h>
#endif

#define LENGTH(array) (int)(sizeof(array) / sizeof(array)[0])

/* --- sockets of every kind, as somebody hands them over: blocking, and inherited by
 * children --- */

enum state { FRESH, BOUND, LISTENING, CONNECTED };

static const struct {
	int family;
	int type;
	enum state state;
} sockets[] = {
	{AF_INET, SOCK_STREAM, FRESH},        {AF_INET, SOCK_STREAM, BOUND},
	{AF_INET, SOCK_STREAM, LISTENING},    {AF_INET, SOCK_STREAM, CONNECTED},
	{AF_INET6, SOCK_STREAM, LISTENING},   {AF_INET6, SOCK_STREAM, CONNECTED},
	{AF_UNIX, SOCK_STREAM, LISTENING},    {AF_UNIX, SOCK_STREAM, CONNECTED},
	{AF_UNIX, SOCK_SEQPACKET, BOUND},     {AF_UNIX, SOCK_SEQPACKET, LISTENING},
	{AF_UNIX, SOCK_SEQPACKET, CONNECTED}, {AF_INET, SOCK_DGRAM, FRESH},
	{AF_INET, SOCK_DGRAM, BOUND},         {AF_INET, SOCK_DGRAM, CONNECTED},
	{AF_INET6, SOCK_DGRAM, BOUND},        {AF_INET6, SOCK_DGRAM, CONNECTED},
	{AF_UNIX, SOCK_DGRAM, BOUND},         {AF_UNIX, SOCK_DGRAM, CONNECTED},
};

static int socket_of(int family, int type, enum state state)
{
	struct adopt_address address;
	int fd = socket(family, type, 0);

	ck_assert_int_ge(fd, 0);
	if (state == CONNECTED) {
		address = own_address(
			socket_of(family, type, type == SOCK_DGRAM ? BOUND : LISTENING));
		ck_assert_int_eq(connect(fd, &address.name.any, address.length), 0);
	} else if (state != FRESH) {
		address = fresh_address(family, false);
		ck_assert_int_eq(bind(fd, &address.name.any, address.length), 0);
	}
	if (state == LISTENING)
		ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

static int make_socket(int index)
{
	return socket_of(sockets[index].family, sockets[index].type, sockets[index].state);
}

static void assert_kind(int fd, int index)
{
	struct adopt_socket_kind kind;

	ck_assert_int_eq(adopt_socket_inspect(fd, &kind), 0);
	ck_assert_int_eq(kind.family, sockets[index].family);
	ck_assert_int_eq(kind.type, sockets[index].type);
	ck_assert_int_eq(kind.listening, sockets[index].state == LISTENING);
	ck_assert_int_eq(kind.connected, sockets[index].state == CONNECTED);
}

START_TEST(inspects_sockets)
{
	assert_kind(make_socket(_i), _i);
}
END_TEST

/* What inetd hands over is descriptor 0. */
START_TEST(inspects_descriptor_0)
{
	int fd = make_socket(_i), saved = dup(0);

	ck_assert_int_eq(dup2(fd, 0), 0);
	assert_kind(0, _i);
	ck_assert_int_eq(adopt_descriptor_prepare(0), 0);
	ck_assert_int_eq(dup2(saved, 0), 0);
}
END_TEST

START_TEST(peer_that_has_reset_is_not_connected)
{
	struct adopt_socket_kind kind;
	int pair[2];
	char byte;

	tcp_pair(pair);
	close_with_reset(pair[0]);
	ck_assert_int_eq(adopt_socket_inspect(pair[1], &kind), 0);
	ck_assert(!kind.connected);
	ck_assert(!kind.listening);
	/* Looking has not taken the error away. */
	ck_assert_int_eq(recv(pair[1], &byte, 1, 0), -1);
	ck_assert_int_eq(errno, ECONNRESET);
}
END_TEST

/* --- what is no socket --- */

static int read_end_of_pipe(void)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	return ends[0];
}

static int write_end_of_pipe(void)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	return ends[1];
}

static int regular_file(void)
{
	char path[] = "/tmp/adopt-test-file-XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	unlink(path);
	return fd;
}

static int directory(void)
{
	return open("/", O_RDONLY | O_DIRECTORY);
}

static int device(void)
{
	return open("/dev/null", O_RDWR);
}

#ifdef __linux__
static int epoll(void)
{
	return epoll_create1(0);
}

static int event_counter(void)
{
	return eventfd(0, 0);
}
#endif

static int (*const no_sockets[])(void) = {
	read_end_of_pipe,
	write_end_of_pipe,
	regular_file,
	directory,
	device,
#ifdef __linux__
	epoll,
	event_counter,
#endif
};

static void assert_not_inspected(int fd, int error)
{
	struct adopt_socket_kind kind = {-4711, -4712, true, false};

	ck_assert_int_eq(adopt_socket_inspect(fd, &kind), error);
	ck_assert_int_eq(kind.family, -4711);
	ck_assert_int_eq(kind.type, -4712);
	ck_assert(kind.listening && !kind.connected);
}

START_TEST(row_04_no_socket)
{
	int fd = no_sockets[_i]();

	ck_assert_int_ge(fd, 0);
	assert_not_inspected(fd, -ENOTSOCK);
}
END_TEST

START_TEST(row_02_not_open)
{
	int fd = dup(0);

	close(fd);
	assert_not_inspected(fd, -EBADF);
	assert_not_inspected(-1, -EBADF);
	ck_assert_int_eq(adopt_descriptor_prepare(fd), -EBADF);
	ck_assert_int_eq(adopt_descriptor_prepare(-1), -EBADF);
}
END_TEST

#ifdef O_PATH
/* Such a one is open for no operation: descriptor and kind say the same. */
START_TEST(row_02_path_only)
{
	int fd = open("/", O_PATH);

	ck_assert_int_ge(fd, 0);
	assert_not_inspected(fd, -EBADF);
	ck_assert_int_eq(adopt_descriptor_prepare(fd), -EBADF);
}
END_TEST
#endif

/* --- preparing --- */

static void assert_prepared(int fd)
{
	int before = fcntl(fd, F_GETFL), holder = dup(fd);

	ck_assert_int_ge(holder, 0);
	ck_assert(!(before & O_NONBLOCK));
	/* The second time there is nothing to do. */
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(adopt_descriptor_prepare(fd), 0);
		ck_assert_int_eq(fcntl(fd, F_GETFL), before | O_NONBLOCK);
		ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	}
	/* O_NONBLOCK belongs to the open file, close-on-exec to the descriptor. */
	ck_assert_int_eq(fcntl(holder, F_GETFL), before | O_NONBLOCK);
	ck_assert_int_eq(fcntl(holder, F_GETFD), 0);
}

START_TEST(prepares_sockets)
{
	assert_prepared(make_socket(_i));
}
END_TEST

START_TEST(prepares_what_is_no_socket)
{
	assert_prepared(no_sockets[_i]());
}
END_TEST

START_TEST(preparing_keeps_other_flags)
{
	int fd = open("/dev/null", O_WRONLY | O_APPEND);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(adopt_descriptor_prepare(fd), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK), O_APPEND | O_NONBLOCK);
}
END_TEST

/* --- judging --- */

START_TEST(judges_in_the_contracts_order)
{
	int family = sockets[_i].family, lie = family == AF_INET ? AF_INET6 : AF_INET;
	bool datagram = sockets[_i].type == SOCK_DGRAM;
	int fd = make_socket(_i);
	struct adopt_socket_kind judged = {.family = -4711};

	/* All is wrong; one thing after the other is put right. */
	ck_assert_int_eq(socket_judge(fd, lie, !datagram, &judged), -ESOCKTNOSUPPORT);
	ck_assert_int_eq(socket_judge(fd, lie, datagram, &judged), -EAFNOSUPPORT);
	ck_assert_int_eq(socket_judge(fd, family, datagram, &judged), -EWOULDBLOCK);
	ck_assert_int_eq(judged.family, -4711);
	ck_assert_int_eq(adopt_descriptor_prepare(fd), 0);
	ck_assert_int_eq(socket_judge(fd, family, datagram, &judged), 0);
	ck_assert_int_eq(judged.family, family);
	judged.family = -4711;
	ck_assert_int_eq(socket_judge(fd, AF_UNSPEC, datagram, &judged), 0);
	ck_assert_int_eq(judged.family, family);
	ck_assert_int_eq(judged.type, sockets[_i].type);
}
END_TEST

START_TEST(judges_what_is_no_stream_or_datagram_socket)
{
	struct adopt_socket_kind judged;
	int fd = device();

	ck_assert_int_eq(socket_judge(fd, AF_UNSPEC, false, &judged), -ENOTSOCK);
	ck_assert_int_eq(socket_judge(-1, AF_UNSPEC, true, &judged), -EBADF);
#ifdef AF_NETLINK
	fd = socket_of(AF_NETLINK, SOCK_DGRAM, FRESH);
	ck_assert_int_eq(socket_judge(fd, AF_UNSPEC, true, &judged), -EAFNOSUPPORT);
	fd = socket_of(AF_NETLINK, SOCK_RAW, FRESH);
	ck_assert_int_eq(socket_judge(fd, AF_UNSPEC, true, &judged), -ESOCKTNOSUPPORT);
	ck_assert_int_eq(socket_judge(fd, AF_UNSPEC, false, &judged), -ESOCKTNOSUPPORT);
#endif
}
END_TEST

/* --- hygiene --- */

static void assert_clean(int fd)
{
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

START_TEST(made_and_accepted_sockets_are_clean)
{
	const struct place *place = &places[_i];
	struct adopt_address peer, expected;
	int listener = place_listener(place), fresh = -1;
	int client, accepted;

	ck_assert_int_eq(adopt_socket_create(place->family, place->type, &fresh), 0);
	assert_clean(fresh);
	ck_assert_int_eq(socket_accept(listener, &peer), -EAGAIN);
	client = client_of(listener);
	accepted = socket_accept(listener, &peer);
	ck_assert_int_ge(accepted, 0);
	assert_clean(accepted);
	expected = own_address(client);
	assert_same_address(&peer, &expected);
}
END_TEST

START_TEST(sockets_that_cannot_be_made)
{
	int fd = 4711;

	ck_assert_int_eq(adopt_socket_create(AF_UNSPEC, SOCK_STREAM, &fd), -EAFNOSUPPORT);
	use_up_descriptors(0);
	ck_assert_int_eq(adopt_socket_create(AF_INET, SOCK_STREAM, &fd), -EMFILE);
	give_back_descriptors();
	ck_assert_int_eq(fd, 4711);
}
END_TEST

START_TEST(duplicates_are_clean)
{
	int copy;

	/* 0 to 2 stay free for what belongs there, even where they are closed. */
	close(0);
	copy = socket_duplicate(make_socket(0));
	ck_assert_int_ge(copy, 3);
	ck_assert_int_eq(fcntl(copy, F_GETFD), FD_CLOEXEC);
	close(copy);
	ck_assert_int_eq(socket_duplicate(copy), -EBADF);
}
END_TEST

START_TEST(closing_keeps_errno)
{
	int fd = dup(1);

	errno = EXDEV;
	socket_close(fd);
	socket_close(fd);
	socket_close(-1);
	ck_assert_int_eq(errno, EXDEV);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("socket");
	TCase *tests = harness_case("socket");

	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, inspects_sockets, 0, LENGTH(sockets));
	tcase_add_loop_test(tests, inspects_descriptor_0, 0, LENGTH(sockets));
	tcase_add_test(tests, peer_that_has_reset_is_not_connected);
	tcase_add_loop_test(tests, row_04_no_socket, 0, LENGTH(no_sockets));
	tcase_add_test(tests, row_02_not_open);
#ifdef O_PATH
	tcase_add_test(tests, row_02_path_only);
#endif
	tcase_add_loop_test(tests, prepares_sockets, 0, LENGTH(sockets));
	tcase_add_loop_test(tests, prepares_what_is_no_socket, 0, LENGTH(no_sockets));
	tcase_add_test(tests, preparing_keeps_other_flags);
	tcase_add_loop_test(tests, judges_in_the_contracts_order, 0, LENGTH(sockets));
	tcase_add_test(tests, judges_what_is_no_stream_or_datagram_socket);
	tcase_add_loop_test(tests, made_and_accepted_sockets_are_clean, 0, PLACES);
	tcase_add_test(tests, sockets_that_cannot_be_made);
	tcase_add_test(tests, duplicates_are_clean);
	tcase_add_test(tests, closing_keeps_errno);
	return harness_main(suite);
}
