/* Datagram sockets: contract rows 22 to 27. What receives and sends is wrapped by the linker,
 * to make it fail where nothing else could. */
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int receive_fault; /* what the next receive answers */
static int send_fault;
static unsigned receives;

ssize_t __real_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
int __real_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
		    struct timespec *timeout);
int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
		    struct timespec *timeout);
int __real_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);

/* Returns whether a call fails for the sake of the test. */
static bool fails(int *fault)
{
	errno = *fault;
	*fault = 0;
	return errno != 0;
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
	receives++;
	return fails(&receive_fault) ? -1 : __real_recvmsg(fd, message, flags);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	return fails(&send_fault) ? -1 : __real_sendmsg(fd, message, flags);
}

int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
		    struct timespec *timeout)
{
	receives++;
	return fails(&receive_fault) ? -1 : __real_recvmmsg(fd, messages, count, flags, timeout);
}

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
	return fails(&send_fault) ? -1 : __real_sendmmsg(fd, messages, count, flags);
}

static struct datagram_recorder recorder;
static struct adopt_port *port;

static void set_up(void)
{
	datagram_recorder_init(&recorder);
	receive_fault = send_fault = 0;
	receives = 0;
	port = NULL;
}

static void tear_down(void)
{
	free_loop();
	ck_assert_uint_eq(recorder.stops, recorder.starts);
}

/* The kinds of socket: each has a name but the last, which is one of a pair. */
enum kind { KIND_IPV4, KIND_IPV6, KIND_PATH, KIND_ABSTRACT, KINDS };

static int family_of(int kind)
{
	return kind == KIND_IPV4 ? AF_INET : kind == KIND_IPV6 ? AF_INET6 : AF_UNIX;
}

static int bound(int kind)
{
	struct adopt_address address = fresh_address(family_of(kind), kind == KIND_ABSTRACT);

	return bound_socket(SOCK_DGRAM, &address);
}

static void adopt(int fd, size_t max_packet_size)
{
	ck_assert_int_eq(adopt_datagram_port(loop, fd, AF_UNSPEC, &recorder.protocol,
					     max_packet_size, &port),
			 0);
	ck_assert_ptr_eq(recorder.protocol.port, port);
	ck_assert_uint_eq(recorder.starts, 1);
}

/* Sends the pattern from one socket to another's address. */
static void send_to(int from, int to, size_t length)
{
	static unsigned char data[65536];
	struct adopt_address there = own_address(to);

	pattern_fill(0, data, length);
	ck_assert_int_eq(sendto(from, data, length, 0, &there.name.any, there.length),
			 (ssize_t)length);
}

/* --- what the calls have in common: rows 2 to 4, and what goes past them --- */

START_TEST(row_03_descriptor_is_duplicated)
{
	int fd = bound(_i), client = bound(_i);
	struct adopt_address there = own_address(fd), here = own_address(client);

	adopt(fd, 0);
	ck_assert_int_eq(sendto(client, "hello", 5, 0, &there.name.any, there.length), 5);
	close(fd);
	RUN_UNTIL(recorder.received == 1);
	ck_assert_str_eq(recorder.first, "hello");
	ck_assert(!recorder.truncated);
	assert_same_address(&recorder.peer, &here);
	ck_assert_int_eq(adopt_port_send(port, &recorder.peer, "welcome", 7), 0);
	assert_reads(client, "welcome");
	close(client);
}
END_TEST

START_TEST(row_04_wrong_type)
{
	int fd = place_listener(&places[0]), pair[2];

	unix_pair(SOCK_SEQPACKET, pair);
	ck_assert_int_eq(adopt_datagram_port(loop, fd, AF_INET, &recorder.protocol, 0, NULL),
			 -ESOCKTNOSUPPORT);
	ck_assert_int_eq(adopt_datagram_port(loop, pair[0], AF_UNIX, &recorder.protocol, 0, NULL),
			 -ESOCKTNOSUPPORT);
	ck_assert_uint_eq(recorder.starts, 0);
	close(fd);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(past_family_lie_is_refused)
{
	int fd = bound(_i);

	ck_assert_int_eq(adopt_datagram_port(loop, fd, _i == KIND_IPV4 ? AF_INET6 : AF_INET,
					     &recorder.protocol, 0, NULL),
			 -EAFNOSUPPORT);
	close(fd);
}
END_TEST

START_TEST(past_blocking_is_refused)
{
	int fd = bound(_i);

	ck_assert_int_eq(fcntl(fd, F_SETFL, 0), 0);
	ck_assert_int_eq(adopt_datagram_port(loop, fd, AF_UNSPEC, &recorder.protocol, 0, NULL),
			 -EWOULDBLOCK);
	close(fd);
}
END_TEST

START_TEST(row_06_port_tells_its_address)
{
	int fd = bound(_i);
	struct adopt_address own = own_address(fd), told;

	adopt(fd, 0);
	ck_assert_int_eq(adopt_port_local(port, &told), 0);
	assert_same_address(&told, &own);
	close(fd);
}
END_TEST

START_TEST(row_06_unnamed)
{
	struct adopt_address told;
	int pair[2];

	unix_pair(SOCK_DGRAM, pair);
	adopt(pair[0], 0);
	ck_assert_int_eq(adopt_port_local(port, &told), 0);
	ck_assert_uint_eq(told.length, offsetof(struct sockaddr_un, sun_path));
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(no_descriptor_left)
{
	int fd = bound(KIND_IPV4);
	unsigned before;

	use_up_descriptors(0);
	before = open_descriptors();
	ck_assert_int_eq(adopt_datagram_port(loop, fd, AF_UNSPEC, &recorder.protocol, 0, NULL),
			 -EMFILE);
	ck_assert_int_eq(
		adopt_datagram_port(loop, fd, AF_UNSPEC, &recorder.protocol, 4 << 20, NULL),
		-EMFILE);
	ck_assert_uint_eq(open_descriptors(), before);
	ck_assert_uint_eq(recorder.starts, 0);
	ck_assert_uint_eq(adopt_reactor_port_count(loop), 0);
	give_back_descriptors();
	close(fd);
}
END_TEST

/* --- row 22 --- */

static const struct {
	size_t asked;
	size_t sent;
	size_t comes;
} cuts[] = {
	{0, 8192, 8192}, {0, 8193, 8192},       {0, 20000, 8192},
	{100, 100, 100}, {100, 101, 100},       {1, 2, 1},
	{0, 0, 0},       {65536, 60000, 60000}, {100000, 60000, 60000},
};
#define CUTS 9

START_TEST(row_22_longer_datagrams_are_cut)
{
	int kind = _i % KINDS, fd = bound(kind), client = bound(kind);

	adopt(fd, cuts[_i / KINDS].asked);
	send_to(client, fd, cuts[_i / KINDS].sent);
	RUN_UNTIL(recorder.received == 1);
	ck_assert_uint_eq(recorder.length, cuts[_i / KINDS].comes);
	ck_assert_int_eq(recorder.truncated, cuts[_i / KINDS].comes < cuts[_i / KINDS].sent);
	ck_assert(!recorder.garbled);
	send_to(client, fd, 1);
	RUN_UNTIL(recorder.received == 2);
	ck_assert_uint_eq(recorder.length, 1);
	ck_assert(!recorder.truncated);
	close(client);
	close(fd);
}
END_TEST

/* --- row 23 --- */

static int feeder, fed;
static bool others_ran;

/* Each datagram brings the next one: there is always more to receive. */
static void feed(struct datagram_recorder *self)
{
	ck_assert_uint_lt(self->received, 100000);
	if (!others_ran)
		send_to(feeder, fed, 100);
}

static void others_run(struct adopt_call *call)
{
	(void)call;
	others_ran = true;
}

START_TEST(row_23_one_turn_is_bounded)
{
	struct adopt_call call = {.run = others_run};

	others_ran = false;
	fed = bound(_i);
	feeder = bound(_i);
	adopt(fed, 0);
	recorder.received_hook = feed;
	send_to(feeder, fed, 100);
	adopt_call_soon(loop, &call);
	RUN_UNTIL(others_ran && recorder.received > 0);
	others_ran = false;
	send_to(feeder, fed, 100);
	adopt_call_soon(loop, &call);
	RUN_UNTIL(others_ran);
	close(fed);
	close(feeder);
}
END_TEST

/* --- rows 24 and 25 --- */

START_TEST(row_24_stop_completes_later)
{
	int fd = bound(_i);

	adopt(fd, 0);
	adopt_port_stop(&port);
	ck_assert_ptr_null(port);
	ck_assert_uint_eq(recorder.stops, 0);
	ck_assert_uint_eq(adopt_reactor_port_count(loop), 1);
	RUN_UNTIL(recorder.stops == 1);
	ck_assert_uint_eq(adopt_reactor_port_count(loop), 0);
	close(fd);
}
END_TEST

static void stop_inside(struct datagram_recorder *self)
{
	struct adopt_port *stopping = self->protocol.port;

	adopt_port_stop(&port);
	ck_assert_uint_eq(self->stops, 0);
	ck_assert_int_eq(adopt_port_send(stopping, &self->peer, "x", 1), -EPIPE);
}

START_TEST(row_24_stop_inside_datagram_received)
{
	int fd = bound(_i), client = bound(_i);

	adopt(fd, 0);
	recorder.received_hook = stop_inside;
	send_to(client, fd, 10);
	send_to(client, fd, 10);
	RUN_UNTIL(recorder.stops == 1);
	ck_assert_uint_eq(recorder.received, 1);
	close(client);
	close(fd);
}
END_TEST

START_TEST(row_25_stop_only_closes)
{
	int fd = bound(_i), client = bound(_i);
	char byte;

	adopt(fd, 0);
	adopt_port_stop(&port);
	RUN_UNTIL(recorder.stops == 1);
	ck_assert_int_eq(recv(fd, &byte, 1, 0), -1);
	ck_assert_int_eq(errno, EAGAIN);
	send_to(client, fd, 10);
	settle();
	ck_assert_uint_eq(recorder.received, 0);
	ck_assert_int_eq(recv(fd, &byte, 1, 0), 1);
	close(client);
	close(fd);
}
END_TEST

START_TEST(pause_and_resume)
{
	int fd = bound(_i), client = bound(_i);

	adopt(fd, 0);
	adopt_port_pause(port);
	adopt_port_pause(port);
	send_to(client, fd, 10);
	settle();
	ck_assert_uint_eq(recorder.received, 0);
	adopt_port_resume(port);
	RUN_UNTIL(recorder.received == 1);
	close(client);
	close(fd);
}
END_TEST

static void pause_inside(struct datagram_recorder *self)
{
	adopt_port_pause(self->protocol.port);
}

START_TEST(pause_inside_takes_effect_at_once)
{
	int fd = bound(_i), client = bound(_i);

	adopt(fd, 0);
	recorder.received_hook = pause_inside;
	send_to(client, fd, 10);
	send_to(client, fd, 10);
	RUN_UNTIL(recorder.received == 1);
	settle();
	ck_assert_uint_eq(recorder.received, 1);
	adopt_port_resume(port);
	RUN_UNTIL(recorder.received == 2);
	close(client);
	close(fd);
}
END_TEST

/* --- row 26 --- */

/* An address of the loopback on which nobody receives. */
static struct adopt_address nobody(int family)
{
	struct adopt_address address = fresh_address(family, false);
	int fd = bound_socket(SOCK_DGRAM, &address);

	address = own_address(fd);
	close(fd);
	return address;
}

START_TEST(row_26_refused_on_a_connected_socket)
{
	struct adopt_address there = nobody(family_of(_i));
	int fd = bound(_i);

	ck_assert_int_eq(connect(fd, &there.name.any, there.length), 0);
	adopt(fd, 0);
	ck_assert_int_eq(adopt_port_send(port, NULL, "anyone?", 7), 0);
	RUN_UNTIL(recorder.refused == 1);
	settle();
	ck_assert_uint_eq(recorder.refused, 1);
	ck_assert_uint_eq(recorder.failed, 0);
	close(fd);
}
END_TEST

/* The refusal that the second send meets neither costs it nor stays untold. */
START_TEST(row_26_refusal_met_by_a_send)
{
	struct adopt_address there = nobody(AF_INET);
	int fd = bound(KIND_IPV4), late;

	ck_assert_int_eq(connect(fd, &there.name.any, there.length), 0);
	adopt(fd, 0);
	ck_assert_int_eq(adopt_port_send(port, NULL, "anyone?", 7), 0);
	late = bound_socket(SOCK_DGRAM, &there);
	ck_assert_int_eq(adopt_port_send(port, NULL, "you?", 4), 0);
	assert_reads(late, "you?");
	RUN_UNTIL(recorder.refused == 1);
	close(late);
	close(fd);
}
END_TEST

START_TEST(row_26_refused_on_an_unconnected_socket)
{
	struct adopt_address there = nobody(family_of(_i));
	int fd = bound(_i), client = bound(_i), on = 1;

	/* Without this the kernel does not even say. */
	if (_i == KIND_IPV4)
		ck_assert_int_eq(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on), 0);
	else
		ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on), 0);
	adopt(fd, 0);
	ck_assert_int_eq(adopt_port_send(port, &there, "anyone?", 7), 0);
	settle();
	ck_assert_uint_eq(recorder.refused + recorder.failed, 0);
	send_to(client, fd, 10);
	RUN_UNTIL(recorder.received == 1);
	ck_assert_uint_eq(recorder.refused + recorder.failed, 0);
	close(client);
	close(fd);
}
END_TEST

START_TEST(row_26_injected_refusal)
{
	int pair[2], fd = bound(KIND_IPV4), client = bound(KIND_IPV4);

	unix_pair(SOCK_DGRAM, pair);
	adopt(_i ? pair[0] : fd, 0);
	receive_fault = ECONNREFUSED;
	if (_i)
		send_text(pair[1], "hello");
	else
		send_to(client, fd, 5);
	RUN_UNTIL(recorder.received == 1);
	ck_assert_uint_eq(recorder.refused, _i ? 1 : 0);
	ck_assert_uint_eq(recorder.failed, 0);
	close(pair[0]);
	close(pair[1]);
	close(fd);
	close(client);
}
END_TEST

static const int unknown_errors[] = {ENOMEM, ENOBUFS, EHOSTUNREACH, EIO, ENETDOWN};
#define UNKNOWN_ERRORS 5

START_TEST(row_26_unknown_errors_are_told)
{
	int fd = bound(KIND_IPV4), client = bound(KIND_IPV4);

	adopt(fd, 0);
	receive_fault = unknown_errors[_i];
	send_to(client, fd, 5);
	RUN_UNTIL(recorder.failed == 1);
	ck_assert_int_eq(recorder.error, -unknown_errors[_i]);
	RUN_UNTIL(recorder.received == 1);
	ck_assert_uint_eq(recorder.failed, 1);
	ck_assert_uint_le(receives, 10);
	close(client);
	close(fd);
}
END_TEST

START_TEST(interrupted_receive_goes_on)
{
	int fd = bound(KIND_IPV4), client = bound(KIND_IPV4);

	adopt(fd, 0);
	receive_fault = EINTR;
	send_to(client, fd, 5);
	RUN_UNTIL(recorder.received == 1);
	ck_assert_uint_eq(recorder.failed, 0);
	close(client);
	close(fd);
}
END_TEST

/* --- row 27 and sending --- */

START_TEST(row_27_wrong_family)
{
	int fd = bound(_i);
	struct adopt_address wrong = fresh_address(_i == KIND_IPV6 ? AF_INET : AF_INET6, false);
	struct adopt_address unknown = {0};

	adopt(fd, 0);
	ck_assert_int_eq(adopt_port_send(port, &wrong, "x", 1), -EAFNOSUPPORT);
	ck_assert_int_eq(adopt_port_send(port, &unknown, "x", 1), -EAFNOSUPPORT);
	ck_assert_int_eq(adopt_port_send(port, NULL, "x", 1), -EDESTADDRREQ);
	close(fd);
}
END_TEST

START_TEST(send_errors_come_back)
{
	static const int errors[] = {EAGAIN, ENETUNREACH, EPERM};
	int fd = bound(KIND_IPV4), client = bound(KIND_IPV4);
	struct adopt_address there = own_address(client);

	adopt(fd, 0);
	send_fault = errors[_i];
	ck_assert_int_eq(adopt_port_send(port, &there, "x", 1), -errors[_i]);
	ck_assert_int_eq(adopt_port_send(port, &there, "hello", 5), 0);
	assert_reads(client, "hello");
	close(client);
	close(fd);
}
END_TEST

START_TEST(send_interrupted_is_sent)
{
	int fd = bound(KIND_IPV4), client = bound(KIND_IPV4);
	struct adopt_address there = own_address(client);

	adopt(fd, 0);
	send_fault = EINTR;
	ck_assert_int_eq(adopt_port_send(port, &there, "hello", 5), 0);
	assert_reads(client, "hello");
	close(client);
	close(fd);
}
END_TEST

START_TEST(send_too_much)
{
	static const char much[1 << 20];
	int fd = bound(_i), client = bound(_i);
	struct adopt_address there = own_address(client);

	adopt(fd, 0);
	ck_assert_int_eq(adopt_port_send(port, &there, much, sizeof much), -EMSGSIZE);
	ck_assert_int_eq(adopt_port_send(port, &there, "", 0), 0);
	close(client);
	close(fd);
}
END_TEST

/* --- past the contract: connected sockets --- */

START_TEST(past_connected_sockets)
{
	int fd = bound(_i), client = bound(_i), stranger = bound(_i);
	struct adopt_address there = own_address(client), own = own_address(fd);
	ssize_t sent;

	ck_assert_int_eq(connect(fd, &there.name.any, there.length), 0);
	adopt(fd, 0);
	ck_assert_int_eq(adopt_port_send(port, NULL, "hello", 5), 0);
	assert_reads(client, "hello");
	sent = sendto(stranger, "psst", 4, 0, &own.name.any, own.length);
	ck_assert(sent == 4 || errno == EPERM);
	send_to(client, fd, 10);
	RUN_UNTIL(recorder.received == 1);
	ck_assert_uint_eq(recorder.length, 10);
	assert_same_address(&recorder.peer, &there);
	close(stranger);
	close(client);
	close(fd);
}
END_TEST

START_TEST(past_unnamed_pair)
{
	int pair[2];

	unix_pair(SOCK_DGRAM, pair);
	adopt(pair[0], 0);
	send_text(pair[1], "hello");
	RUN_UNTIL(recorder.received == 1);
	ck_assert_str_eq(recorder.first, "hello");
	ck_assert_int_eq(adopt_port_send(port, NULL, "welcome", 7), 0);
	assert_reads(pair[1], "welcome");
	close(pair[0]);
	close(pair[1]);
}
END_TEST

/* A client without a name: its datagram comes, and nobody can be answered. */
START_TEST(past_unnamed_client)
{
	int fd = bound(KIND_PATH), client = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	adopt(fd, 0);
	send_to(client, fd, 10);
	RUN_UNTIL(recorder.received == 1);
	ck_assert(recorder.peer.length == 0 ||
		  recorder.peer.length == offsetof(struct sockaddr_un, sun_path));
	ck_assert_int_lt(adopt_port_send(port, &recorder.peer, "x", 1), 0);
	close(client);
	close(fd);
}
END_TEST

static void add_row_tests(TCase *tests)
{
	tcase_add_loop_test(tests, row_03_descriptor_is_duplicated, 0, KINDS);
	tcase_add_test(tests, row_04_wrong_type);
	tcase_add_loop_test(tests, row_06_port_tells_its_address, 0, KINDS);
	tcase_add_test(tests, row_06_unnamed);
	tcase_add_loop_test(tests, row_22_longer_datagrams_are_cut, 0, CUTS * KINDS);
	tcase_add_loop_test(tests, row_23_one_turn_is_bounded, 0, KINDS);
	tcase_add_loop_test(tests, row_24_stop_completes_later, 0, KINDS);
	tcase_add_loop_test(tests, row_24_stop_inside_datagram_received, 0, KINDS);
	tcase_add_loop_test(tests, row_25_stop_only_closes, 0, KINDS);
	tcase_add_loop_test(tests, row_26_refused_on_a_connected_socket, 0, KIND_PATH);
	tcase_add_test(tests, row_26_refusal_met_by_a_send);
	tcase_add_loop_test(tests, row_26_refused_on_an_unconnected_socket, 0, KIND_PATH);
	tcase_add_loop_test(tests, row_26_injected_refusal, 0, 2);
	tcase_add_loop_test(tests, row_26_unknown_errors_are_told, 0, UNKNOWN_ERRORS);
	tcase_add_loop_test(tests, row_27_wrong_family, 0, KINDS);
}

START_TEST(no_room_for_so_large_ones)
{
	int fd = bound(KIND_IPV4);

	ck_assert_int_eq(
		adopt_datagram_port(loop, fd, AF_UNSPEC, &recorder.protocol, SIZE_MAX, &port),
		-ENOMEM);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("datagram port");
	TCase *tests = harness_case("datagram port");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	suite_add_tcase(suite, tests);
	add_row_tests(tests);
	tcase_add_loop_test(tests, past_family_lie_is_refused, 0, KINDS);
	tcase_add_loop_test(tests, past_blocking_is_refused, 0, KINDS);
	tcase_add_test(tests, no_descriptor_left);
	tcase_add_test(tests, no_room_for_so_large_ones);
	tcase_add_loop_test(tests, pause_and_resume, 0, KINDS);
	tcase_add_loop_test(tests, pause_inside_takes_effect_at_once, 0, KINDS);
	tcase_add_test(tests, interrupted_receive_goes_on);
	tcase_add_loop_test(tests, send_errors_come_back, 0, 3);
	tcase_add_test(tests, send_interrupted_is_sent);
	tcase_add_loop_test(tests, send_too_much, 0, KIND_PATH);
	tcase_add_loop_test(tests, past_connected_sockets, 0, KINDS);
	tcase_add_test(tests, past_unnamed_pair);
	tcase_add_test(tests, past_unnamed_client);
	return harness_main(suite);
}
