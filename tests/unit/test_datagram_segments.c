/* Datagrams of one length as one message, which the system parts. sendmmsg() is wrapped by
 * the linker, to see what goes how, and to refuse to part it. */
#include "recorder.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

#define SENT 12
#define LONGEST 200

static int refusal; /* the errno of each message of several datagrams, 0: none */
static unsigned messages_sent;
static unsigned refused;

int __real_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);

/* As the system does it: what was sent before the one that is refused is told first. */
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
	unsigned whole = 0;
	int sent;

	while (whole < count && (refusal == 0 || messages[whole].msg_hdr.msg_iovlen == 1))
		whole++;
	if (whole < count)
		refused++;
	errno = refusal;
	if (whole == 0)
		return -1;
	sent = __real_sendmmsg(fd, messages, whole, flags);
	if (sent > 0)
		messages_sent += (unsigned)sent;
	return sent;
}

static struct datagram_recorder recorder;
static struct adopt_port *port;
static unsigned char contents[SENT][LONGEST];
static struct adopt_datagram to_send[SENT];

static void set_up(void)
{
	refusal = 0;
	messages_sent = refused = 0;
	datagram_recorder_init(&recorder);
}

/* Makes datagrams that bear their number. lengths: of each, or NULL for all alike. */
static void write_datagrams(const size_t *lengths, size_t alike)
{
	for (unsigned i = 0; i < SENT; i++) {
		memset(contents[i], (int)i, LONGEST);
		to_send[i].data = contents[i];
		to_send[i].length = lengths ? lengths[i] : alike;
	}
}

static void adopt(int fd)
{
	ck_assert_int_eq(adopt_datagram_port(loop, fd, AF_UNSPEC, &recorder.protocol, 0, &port), 0);
}

static int bound(int family)
{
	struct adopt_address address = fresh_address(family, false);

	return bound_socket(SOCK_DGRAM, &address);
}

/* Tells whether the system can part messages on a socket. */
static bool can_part(int fd)
{
	int set;
	socklen_t length = sizeof set;

	return getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &set, &length) == 0;
}

static void send_all(const struct adopt_address *from, const struct adopt_address *to)
{
	int sent;

	for (unsigned first = 0; first < SENT; first += (unsigned)sent) {
		sent = adopt_port_send_several(port, from, to, to_send + first, SENT - first);
		ck_assert_int_ge(sent, 1);
	}
}

static void assert_all_came(int fd, const struct adopt_address *from)
{
	unsigned char bytes[LONGEST + 1];

	for (unsigned i = 0; i < SENT; i++) {
		struct adopt_address peer = {.length = sizeof peer.name};
		ssize_t length = recvfrom(fd, bytes, sizeof bytes, MSG_DONTWAIT, &peer.name.any,
					  &peer.length);

		ck_assert_int_eq(length, (ssize_t)to_send[i].length);
		ck_assert(memcmp(bytes, contents[i], (size_t)length) == 0);
		assert_same_address(&peer, from);
	}
	ck_assert_int_eq(recv(fd, bytes, 1, MSG_DONTWAIT), -1);
}

static const int families[] = {AF_INET, AF_INET6, AF_UNIX};
#define FAMILIES 3

START_TEST(alike_go_as_one)
{
	int fd = bound(families[_i]), client = bound(families[_i]);
	struct adopt_address there = own_address(client), own = own_address(fd);

	write_datagrams(NULL, 100);
	adopt(fd);
	if (families[_i] == AF_UNIX) {
		ck_assert_int_eq(adopt_port_send_several(port, NULL, &there, to_send, 4), 4);
		ck_assert_uint_eq(messages_sent, 4);
	} else {
		send_all(NULL, &there);
		ck_assert_uint_eq(messages_sent, can_part(fd) ? 1 : SENT);
		assert_all_came(client, &own);
	}
	close(client);
	close(fd);
}
END_TEST

/* Neither empty ones nor such as are alone in their length are parts of anything. */
START_TEST(runs_of_one_length)
{
	static const size_t lengths[SENT] = {9, 9, 9, 0, 0, 8, 7, 7, 200, 1, 1, 9};
	int fd = bound(AF_INET), client = bound(AF_INET);
	struct adopt_address there = own_address(client), own = own_address(fd);

	write_datagrams(lengths, 0);
	adopt(fd);
	send_all(NULL, &there);
	ck_assert_uint_eq(messages_sent, can_part(fd) ? 8 : SENT);
	assert_all_came(client, &own);
	close(client);
	close(fd);
}
END_TEST

/* More than one packet could carry. */
START_TEST(long_ones)
{
	static unsigned char much[30000];
	int fd = bound(AF_INET), client = bound(AF_INET);
	struct adopt_address there = own_address(client);
	unsigned received = 0;

	write_datagrams(NULL, 0);
	for (unsigned i = 0; i < 5; i++)
		to_send[i] = (struct adopt_datagram){.data = much, .length = sizeof much};
	adopt(fd);
	ck_assert_int_eq(adopt_port_send_several(port, NULL, &there, to_send, 5), 5);
	ck_assert_uint_eq(messages_sent, can_part(fd) ? 3 : 5);
	while (recv(client, much, sizeof much, MSG_DONTWAIT) == sizeof much)
		received++;
	ck_assert_uint_eq(received, 5);
	close(client);
	close(fd);
}
END_TEST

static const struct {
	const char *wildcard, *from, *seen;
} hosts[] = {
	{"0.0.0.0:0", "127.9.8.7", "127.9.8.7"},
	{"[::]:0", "[::1]", "[::1]"},
	{"[::]:0", "[::ffff:127.9.8.7]", "127.9.8.7"},
};
#define HOSTS 3

static struct adopt_address at(const char *host, unsigned number)
{
	struct adopt_address address;
	char text[ADOPT_ADDRESS_TEXT_SIZE];

	snprintf(text, sizeof text, "%s:%u", host, number);
	ck_assert_int_eq(adopt_address_parse(text, &address), 0);
	return address;
}

START_TEST(all_come_from_who_was_asked)
{
	struct adopt_address address, from, seen, there;
	int fd, client;

	ck_assert_int_eq(adopt_address_parse(hosts[_i].wildcard, &address), 0);
	fd = bound_socket(SOCK_DGRAM, &address);
	address = own_address(fd);
	seen = at(hosts[_i].seen, adopt_address_port(&address));
	from = at(hosts[_i].from, adopt_address_port(&address));
	client = bound(adopt_address_family(&seen));
	there = own_address(client);
	if (adopt_address_family(&seen) != adopt_address_family(&from))
		there = at("[::ffff:127.0.0.1]", adopt_address_port(&there));
	write_datagrams(NULL, 100);
	adopt(fd);
	send_all(&from, &there);
	ck_assert_uint_eq(messages_sent, can_part(fd) ? 1 : SENT);
	assert_all_came(client, &seen);
	close(client);
	close(fd);
}
END_TEST

/* A card that cannot do it, and no more trying. */
START_TEST(refused_go_singly)
{
	int fd = bound(AF_INET), client = bound(AF_INET);
	struct adopt_address there = own_address(client), own = own_address(fd);

	write_datagrams(NULL, 100);
	adopt(fd);
	refusal = EIO;
	for (unsigned i = 0; i < 3; i++) {
		send_all(NULL, &there);
		assert_all_came(client, &own);
	}
	ck_assert_uint_eq(refused, can_part(fd) ? 1 : 0);
	ck_assert_uint_eq(messages_sent, 3 * SENT);
	close(client);
	close(fd);
}
END_TEST

/* As systems call it. */
static const int too_long[] = {EMSGSIZE, EINVAL};

/* What is too long for the way is not tried again, what is shorter is. */
START_TEST(shorter_ones_are_tried)
{
	int fd = bound(AF_INET), client = bound(AF_INET);
	struct adopt_address there = own_address(client), own = own_address(fd);

	write_datagrams(NULL, 100);
	adopt(fd);
	refusal = too_long[_i];
	send_all(NULL, &there);
	assert_all_came(client, &own);
	send_all(NULL, &there);
	assert_all_came(client, &own);
	ck_assert_uint_eq(refused, can_part(fd) ? 1 : 0);
	ck_assert_uint_eq(messages_sent, 2 * SENT);
	refusal = 0;
	messages_sent = 0;
	write_datagrams(NULL, 99);
	send_all(NULL, &there);
	assert_all_came(client, &own);
	ck_assert_uint_eq(messages_sent, can_part(fd) ? 1 : SENT);
	close(client);
	close(fd);
}
END_TEST

/* That there was no memory says nothing of the next time. */
START_TEST(shortage_passes)
{
	int fd = bound(AF_INET), client = bound(AF_INET);
	struct adopt_address there = own_address(client), own = own_address(fd);

	write_datagrams(NULL, 100);
	adopt(fd);
	refusal = ENOBUFS;
	send_all(NULL, &there);
	assert_all_came(client, &own);
	refusal = 0;
	messages_sent = 0;
	send_all(NULL, &there);
	assert_all_came(client, &own);
	ck_assert_uint_eq(messages_sent, can_part(fd) ? 1 : SENT);
	close(client);
	close(fd);
}
END_TEST

/* The first ones are counted, though they are fewer messages. */
START_TEST(refused_behind_others)
{
	static const size_t lengths[SENT] = {5, 6, 7, 7, 7, 7, 8, 8, 8, 8, 8, 8};
	int fd = bound(AF_INET), client = bound(AF_INET);
	struct adopt_address there = own_address(client), own = own_address(fd);

	write_datagrams(lengths, 0);
	adopt(fd);
	refusal = EIO;
	ck_assert_int_eq(adopt_port_send_several(port, NULL, &there, to_send, SENT),
			 can_part(fd) ? 2 : SENT);
	if (can_part(fd))
		ck_assert_int_eq(adopt_port_send_several(port, NULL, &there, to_send + 2, SENT - 2),
				 SENT - 2);
	assert_all_came(client, &own);
	close(client);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("datagram segments");
	TCase *tests = harness_case("datagram segments");

	tcase_add_checked_fixture(tests, set_up, free_loop);
	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, alike_go_as_one, 0, FAMILIES);
	tcase_add_test(tests, runs_of_one_length);
	tcase_add_test(tests, long_ones);
	tcase_add_loop_test(tests, all_come_from_who_was_asked, 0, HOSTS);
	tcase_add_test(tests, refused_go_singly);
	tcase_add_loop_test(tests, shorter_ones_are_tried, 0, 2);
	tcase_add_test(tests, shortage_passes);
	tcase_add_test(tests, refused_behind_others);
	return harness_main(suite);
}
