/* Several datagrams at a time, with and without a call of the system for it. */
#include "adopt/messages.h"
#include "recorder.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Numbered from 1 on, and each longer than the one before, up to some length. */
struct numbered {
	unsigned number;
	unsigned char filling[64];
};

static size_t length_of(unsigned number)
{
	return sizeof number + number % 60;
}

static unsigned number_of(const void *data)
{
	unsigned number;

	memcpy(&number, data, sizeof number);
	return number;
}

/* A protocol that takes several, and checks that none is missing, or comes twice. */
struct taker {
	struct adopt_datagram_protocol protocol;
	void (*hook)(struct taker *taker);
	unsigned calls, received, stops;
	unsigned char cut; /* the number of the last one that was cut, 0: none */
	struct adopt_address peer;
};

static struct taker taker;
static struct adopt_port *port;

static void take(const struct adopt_datagram *datagram)
{
	taker.received++;
	taker.peer = *datagram->peer;
	ck_assert_uint_eq(number_of(datagram->data), taker.received);
	if (datagram->truncated)
		taker.cut = (unsigned char)taker.received;
	else
		ck_assert_uint_eq(datagram->length, length_of(taker.received));
}

static void called(void)
{
	ck_assert_uint_eq(taker.stops, 0);
	taker.calls++;
	if (taker.hook)
		taker.hook(&taker);
}

static void taken(struct adopt_datagram_protocol *protocol, const struct adopt_datagram *datagrams,
		  size_t count)
{
	(void)protocol;
	ck_assert_uint_ge(count, 1);
	ck_assert_uint_le(count, ADOPT_DATAGRAMS_MAX);
	for (size_t i = 0; i < count; i++)
		take(&datagrams[i]);
	called();
}

static void taken_singly(struct adopt_datagram_protocol *protocol,
			 const struct adopt_datagram *datagram)
{
	(void)protocol;
	take(datagram);
	called();
}

static void stopped(struct adopt_datagram_protocol *protocol)
{
	(void)protocol;
	taker.stops++;
}

/* The first takes several at a time, the second one. */
static const struct adopt_datagram_protocol_ops kinds_of_taker[] = {
	{.datagrams_received = taken, .stop = stopped},
	{.datagram_received = taken_singly, .stop = stopped},
};
#define TAKERS 2

static int bound(int family)
{
	struct adopt_address address = fresh_address(family, false);

	return bound_socket(SOCK_DGRAM, &address);
}

static void adopt(int fd, int kind, size_t max_packet_size)
{
	taker = (struct taker){.protocol.ops = &kinds_of_taker[kind]};
	ck_assert_int_eq(
		adopt_datagram_port(loop, fd, AF_UNSPEC, &taker.protocol, max_packet_size, &port),
		0);
}

/* Has datagrams wait at a socket, of which the first has a number. */
static void let_wait(int from, int at, unsigned number, unsigned count)
{
	struct adopt_address there = own_address(at);

	for (; count > 0; number++, count--) {
		struct numbered datagram = {.number = number};

		ck_assert_int_eq(sendto(from, &datagram, length_of(number), 0, &there.name.any,
					there.length),
				 (ssize_t)length_of(number));
	}
}

/* Takes what waits at a socket itself, from a number on. Returns how many did. */
static unsigned take_rest(int fd, unsigned number)
{
	struct numbered datagram;
	unsigned count = 0;

	for (; recv(fd, &datagram, sizeof datagram, MSG_DONTWAIT) > 0; count++)
		ck_assert_uint_eq(datagram.number, number++);
	return count;
}

static const int families[] = {AF_INET, AF_INET6, AF_UNIX};
#define FAMILIES 3

START_TEST(what_waits_comes_at_once)
{
	int fd = bound(families[_i]), clients[] = {bound(families[_i]), bound(families[_i])};
	struct adopt_address last = own_address(clients[1]);

	for (unsigned number = 1; number <= 8; number++)
		let_wait(clients[number % 2 ? 0 : 1], fd, number, 1);
	adopt(fd, 0, 0);
	RUN_UNTIL(taker.received == 8);
	ck_assert_uint_eq(taker.calls, messages_at_a_time() > 1 ? 1 : 8);
	assert_same_address(&taker.peer, &last);
	let_wait(clients[0], fd, 9, 1);
	RUN_UNTIL(taker.received == 9);
	close(clients[0]);
	close(clients[1]);
	close(fd);
}
END_TEST

START_TEST(more_than_fits_comes_in_order)
{
	int fd = bound(AF_INET), client = bound(AF_INET);

	let_wait(client, fd, 1, 150);
	adopt(fd, _i % TAKERS, _i < TAKERS ? 0 : 4 << 20);
	RUN_UNTIL(taker.received == 150);
	settle();
	ck_assert_uint_eq(taker.received, 150);
	close(client);
	close(fd);
}
END_TEST

START_TEST(cut_among_whole_ones)
{
	int fd = bound(AF_INET), client = bound(AF_INET);

	let_wait(client, fd, 1, 50);
	adopt(fd, 0, length_of(49));
	RUN_UNTIL(taker.received == 50);
	ck_assert_uint_eq(taker.cut, 50);
	close(client);
	close(fd);
}
END_TEST

static void pause_inside(struct taker *self)
{
	adopt_port_pause(self->protocol.port);
}

START_TEST(pause_keeps_the_rest)
{
	int fd = bound(AF_INET), client = bound(AF_INET);
	/* More than are told at a time: where that is one, each has a pause. */
	unsigned count = _i == 0 && messages_at_a_time() > 1 ? 100 : 20, before;

	let_wait(client, fd, 1, count);
	adopt(fd, _i, 0);
	taker.hook = pause_inside;
	while (taker.received < count) {
		adopt_port_resume(port);
		before = taker.received;
		RUN_UNTIL(taker.received > before);
		before = taker.calls;
		settle();
		ck_assert_uint_eq(taker.calls, before);
	}
	close(client);
	close(fd);
}
END_TEST

static void stop_inside(struct taker *self)
{
	struct adopt_port *stopping = self->protocol.port;
	const struct adopt_datagram datagram = {.data = "x", .length = 1};

	adopt_port_stop(&port);
	ck_assert_int_eq(adopt_port_send_several(stopping, NULL, &self->peer, &datagram, 1),
			 -EPIPE);
}

/* What has not been told is still there, for another holder of the socket. */
START_TEST(stop_leaves_the_rest)
{
	int fd = bound(AF_INET), client = bound(AF_INET);

	let_wait(client, fd, 1, 100);
	adopt(fd, _i, 0);
	taker.hook = stop_inside;
	RUN_UNTIL(taker.stops == 1);
	ck_assert_uint_eq(taker.calls, 1);
	ck_assert_uint_ge(taker.received, 1);
	ck_assert_uint_lt(taker.received, 100);
	ck_assert_uint_eq(take_rest(fd, taker.received + 1), 100 - taker.received);
	close(client);
	close(fd);
}
END_TEST

/* --- sending --- */

#define SENT 100
static struct numbered contents[SENT];
static struct adopt_datagram to_send[SENT];

static void write_numbers(void)
{
	for (unsigned i = 0; i < SENT; i++) {
		contents[i].number = i + 1;
		to_send[i] =
			(struct adopt_datagram){.data = &contents[i], .length = length_of(i + 1)};
	}
}

static int send_from(unsigned first, unsigned count, const struct adopt_address *to)
{
	return adopt_port_send_several(port, NULL, to, to_send + first, count);
}

/* Sends all that are to be sent, which must not fail. Returns in how many calls. */
static unsigned send_all(unsigned first, unsigned end, const struct adopt_address *to)
{
	unsigned calls = 0;

	for (; first < end; calls++) {
		int sent = send_from(first, end - first, to);

		ck_assert_int_ge(sent, 1);
		first += (unsigned)sent;
	}
	ck_assert_uint_eq(first, end);
	return calls;
}

START_TEST(several_go_in_order)
{
	int fd = bound(families[_i]), client = bound(families[_i]);
	struct adopt_address there = own_address(client);
	unsigned count = families[_i] == AF_UNIX ? 8 : SENT, at_a_time = messages_at_a_time();

	write_numbers();
	adopt(fd, 0, 0);
	ck_assert_int_eq(send_from(0, 0, &there), 0);
	ck_assert_uint_eq(send_all(0, count, &there), (count + at_a_time - 1) / at_a_time);
	ck_assert_uint_eq(take_rest(client, 1), count);
	close(client);
	close(fd);
}
END_TEST

START_TEST(nobody_to_send_to)
{
	int fd = bound(AF_INET);
	struct adopt_address wrong = fresh_address(AF_INET6, false);

	write_numbers();
	adopt(fd, 0, 0);
	ck_assert_int_eq(send_from(0, 2, NULL), -EDESTADDRREQ);
	ck_assert_int_eq(send_from(0, 2, &wrong), -EAFNOSUPPORT);
	close(fd);
}
END_TEST

/* The fourth of eight is too long for every socket. */
START_TEST(one_that_cannot_go_is_told)
{
	static const char much[1 << 20];
	int fd = bound(families[_i]), client = bound(families[_i]);
	struct adopt_address there = own_address(client);

	write_numbers();
	to_send[3] = (struct adopt_datagram){.data = much, .length = sizeof much};
	adopt(fd, 0, 0);
	ck_assert_int_eq(send_from(0, 8, &there), messages_at_a_time() > 1 ? 3 : 1);
	ck_assert_int_eq(send_from(3, 5, &there), -EMSGSIZE);
	ck_assert_uint_eq(take_rest(client, 1), messages_at_a_time() > 1 ? 3 : 1);
	send_all(4, 8, &there);
	ck_assert_uint_eq(take_rest(client, 5), 4);
	close(client);
	close(fd);
}
END_TEST

/* A UNIX socket has room for some only. */
START_TEST(no_room_for_the_rest)
{
	int fd = bound(AF_UNIX), client = bound(AF_UNIX), sent = 0;
	struct adopt_address there = own_address(client);
	unsigned before = 0;

	write_numbers();
	adopt(fd, 0, 0);
	while (before < SENT && sent >= 0) {
		sent = send_from(before, SENT - before, &there);
		if (sent > 0)
			before += (unsigned)sent;
	}
	ck_assert_int_eq(sent, -EAGAIN);
	ck_assert_uint_ge(before, 1);
	ck_assert_uint_eq(take_rest(client, 1), before);
	ck_assert_int_ge(send_from(before, SENT - before, &there), 1);
	ck_assert_uint_ge(take_rest(client, before + 1), 1);
	close(client);
	close(fd);
}
END_TEST

static unsigned refusals;

static void refused(struct adopt_datagram_protocol *protocol)
{
	(void)protocol;
	refusals++;
}

/* The refusal of an earlier one costs none of them, and is told. */
START_TEST(refusal_met_by_several)
{
	static const struct adopt_datagram_protocol_ops ops = {
		.datagrams_received = taken, .connection_refused = refused, .stop = stopped};
	int fd = bound(AF_INET), nobody = bound(AF_INET), late;
	struct adopt_address there = own_address(nobody);

	close(nobody);
	write_numbers();
	ck_assert_int_eq(connect(fd, &there.name.any, there.length), 0);
	adopt(fd, 0, 0);
	taker.protocol.ops = &ops;
	refusals = 0;
	send_all(0, 1, NULL);
	late = bound_socket(SOCK_DGRAM, &there);
	send_all(1, 9, NULL);
	ck_assert_uint_eq(take_rest(late, 2), 8);
	RUN_UNTIL(refusals == 1);
	close(late);
	close(fd);
}
END_TEST

/* Where nobody is there for any of them, it is told at the latest after the last. */
START_TEST(several_refused)
{
	static const struct adopt_datagram_protocol_ops ops = {
		.datagrams_received = taken, .connection_refused = refused, .stop = stopped};
	int fd = bound(AF_INET), nobody = bound(AF_INET);
	struct adopt_address there = own_address(nobody);

	close(nobody);
	write_numbers();
	ck_assert_int_eq(connect(fd, &there.name.any, there.length), 0);
	adopt(fd, 0, 0);
	taker.protocol.ops = &ops;
	refusals = 0;
	send_all(0, 8, NULL);
	RUN_UNTIL(refusals > 0);
	close(fd);
}
END_TEST

/* --- a port of all addresses --- */

static struct adopt_address locals[8];
static unsigned told;

static void tell_locals(struct adopt_datagram_protocol *protocol,
			const struct adopt_datagram *datagrams, size_t count)
{
	for (size_t i = 0; i < count; i++, told++) {
		locals[told] = *datagrams[i].local;
		ck_assert_int_eq(adopt_port_send_several(protocol->port, datagrams[i].local,
							 datagrams[i].peer, &datagrams[i], 1),
				 1);
	}
}

START_TEST(each_tells_whom_it_was_sent_to)
{
	static const struct adopt_datagram_protocol_ops ops = {.datagrams_received = tell_locals};
	struct adopt_datagram_protocol protocol = {.ops = &ops};
	struct adopt_address all = {.length = sizeof all.name.in, .name.in.sin_family = AF_INET};
	int fd = bound_socket(SOCK_DGRAM, &all), client = bound(AF_INET);
	struct adopt_address asked = own_address(fd), from = {.length = sizeof from.name};
	char byte;

	ck_assert_int_eq(adopt_datagram_port(loop, fd, AF_INET, &protocol, 0, &port), 0);
	for (unsigned i = 0; i < 8; i++) {
		asked.name.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK + i % 3);
		ck_assert_int_eq(sendto(client, "x", 1, 0, &asked.name.any, asked.length), 1);
	}
	told = 0;
	RUN_UNTIL(told == 8);
	for (unsigned i = 0; i < 8; i++) {
		asked.name.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK + i % 3);
		assert_same_address(&locals[i], &asked);
		ck_assert_int_eq(recvfrom(client, &byte, 1, 0, &from.name.any, &from.length), 1);
		assert_same_address(&from, &asked);
	}
	close(client);
	close(fd);
	free_loop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("datagram batch");
	TCase *tests = harness_case("datagram batch");

	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, what_waits_comes_at_once, 0, FAMILIES);
	tcase_add_loop_test(tests, more_than_fits_comes_in_order, 0, 2 * TAKERS);
	tcase_add_test(tests, cut_among_whole_ones);
	tcase_add_loop_test(tests, pause_keeps_the_rest, 0, TAKERS);
	tcase_add_loop_test(tests, stop_leaves_the_rest, 0, TAKERS);
	tcase_add_loop_test(tests, several_go_in_order, 0, FAMILIES);
	tcase_add_test(tests, nobody_to_send_to);
	tcase_add_loop_test(tests, one_that_cannot_go_is_told, 0, FAMILIES);
	tcase_add_test(tests, no_room_for_the_rest);
	tcase_add_test(tests, refusal_met_by_several);
	tcase_add_test(tests, several_refused);
	tcase_add_test(tests, each_tells_whom_it_was_sent_to);
	return harness_main(suite);
}
