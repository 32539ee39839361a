/* Datagram ports that are bound to all of the host's addresses. */
#include "recorder.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static struct datagram_recorder recorder;
static struct adopt_port *port;
static struct adopt_address own;

/* Adopts a port on a wildcard address. */
static void adopt_wildcard(const char *text)
{
	struct adopt_address address;
	int fd;

	ck_assert_int_eq(adopt_address_parse(text, &address), 0);
	fd = bound_socket(SOCK_DGRAM, &address);
	own = own_address(fd);
	datagram_recorder_init(&recorder);
	ck_assert_int_eq(adopt_datagram_port(loop, fd, AF_UNSPEC, &recorder.protocol, 0, &port), 0);
	close(fd);
}

static struct adopt_address with_port(const char *host, unsigned number)
{
	struct adopt_address address;
	char text[ADOPT_ADDRESS_TEXT_SIZE];

	snprintf(text, sizeof text, "%s:%u", host, number);
	ck_assert_int_eq(adopt_address_parse(text, &address), 0);
	return address;
}

/* How a client reaches a port, and as what that is seen in the port's own family. */
static const struct {
	const char *wildcard, *asked, *seen;
} hosts[] = {
	{"0.0.0.0:0", "127.0.0.1", "127.0.0.1"},
	{"0.0.0.0:0", "127.9.8.7", "127.9.8.7"},
	{"[::]:0", "[::1]", "[::1]"},
	{"[::]:0", "127.9.8.7", "[::ffff:127.9.8.7]"},
};
#define HOSTS 4

START_TEST(answers_come_from_who_was_asked)
{
	struct adopt_address asked, seen, from = {.length = sizeof from.name};
	char answer[16];
	int client;

	adopt_wildcard(hosts[_i].wildcard);
	asked = with_port(hosts[_i].asked, adopt_address_port(&own));
	seen = with_port(hosts[_i].seen, adopt_address_port(&own));
	client = socket(adopt_address_family(&asked), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(sendto(client, "hello", 5, 0, &asked.name.any, asked.length), 5);
	RUN_UNTIL(recorder.received == 1);
	assert_same_address(&recorder.local, &seen);
	ck_assert_int_eq(adopt_port_send_from(port, &recorder.local, &recorder.peer, "welcome", 7),
			 0);
	ck_assert_int_eq(recvfrom(client, answer, sizeof answer, 0, &from.name.any, &from.length),
			 7);
	assert_same_address(&from, &asked);
	close(client);
	free_loop();
}
END_TEST

/* Nothing to tell apart: the one address is told, and what is asked for is not needed. */
START_TEST(bound_to_one_address)
{
	struct adopt_address elsewhere = with_port("127.9.8.7", 1);
	int client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	adopt_wildcard("127.0.0.1:0");
	ck_assert_int_eq(sendto(client, "hello", 5, 0, &own.name.any, own.length), 5);
	RUN_UNTIL(recorder.received == 1);
	assert_same_address(&recorder.local, &own);
	ck_assert_int_eq(adopt_port_send_from(port, &elsewhere, &recorder.peer, "welcome", 7), 0);
	assert_reads(client, "welcome");
	close(client);
	free_loop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("packet info");
	TCase *tests = harness_case("packet info");

	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, answers_come_from_who_was_asked, 0, HOSTS);
	tcase_add_test(tests, bound_to_one_address);
	return harness_main(suite);
}
