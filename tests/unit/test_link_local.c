/* Addresses with a scope: link-local ones, in a network namespace of the test's
 * own; skipped where that is not allowed. */
#include "recorder.h"

#include <unistd.h>

/* What programs exit with to say that their tests were skipped. */
#define SKIPPED 77

#ifdef __linux__
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>

/* As struct in6_ifreq of the kernel, whose header does not go with the system's. */
struct address_request {
	struct in6_addr address;
	uint32_t prefix_bits;
	int interface;
};

static unsigned scope;

/* An address is tentative for a moment, and cannot be bound to. */
static bool await_address(int fd, const struct in6_addr *address)
{
	struct sockaddr_in6 name = {
		.sin6_family = AF_INET6, .sin6_addr = *address, .sin6_scope_id = scope};

	for (unsigned tries = 0; tries < 5000; tries++) {
		if (bind(fd, (struct sockaddr *)&name, sizeof name) == 0)
			return true;
		poll(NULL, 0, 1);
	}
	return false;
}

/* Enters a namespace whose loopback has the address fe80::1. */
static bool enter_namespace(void)
{
	struct ifreq loopback = {.ifr_name = "lo"};
	struct address_request request = {.prefix_bits = 64};
	int fd;
	bool done;

	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	scope = if_nametoindex("lo");
	request.interface = (int)scope;
	request.address.s6_addr[0] = 0xfe;
	request.address.s6_addr[1] = 0x80;
	request.address.s6_addr[15] = 1;
	loopback.ifr_flags = IFF_UP | IFF_RUNNING;
	done = ioctl(fd, SIOCSIFFLAGS, &loopback) == 0 && ioctl(fd, SIOCSIFADDR, &request) == 0 &&
	       await_address(fd, &request.address);
	close(fd);
	return done;
}

static struct adopt_address link_local(void)
{
	struct adopt_address address;

	ck_assert_int_eq(adopt_address_parse("[fe80::1%lo]:0", &address), 0);
	ck_assert_uint_eq(address.name.in6.sin6_scope_id, scope);
	return address;
}

START_TEST(past_scope_of_datagrams)
{
	struct adopt_address address = link_local(), here, there;
	int fd = bound_socket(SOCK_DGRAM, &address), client = bound_socket(SOCK_DGRAM, &address);
	struct datagram_recorder recorder;
	struct adopt_port *port;

	datagram_recorder_init(&recorder);
	there = own_address(fd);
	here = own_address(client);
	ck_assert_int_eq(adopt_datagram_port(loop, fd, AF_INET6, &recorder.protocol, 0, &port), 0);
	ck_assert_int_eq(sendto(client, "hello", 5, 0, &there.name.any, there.length), 5);
	RUN_UNTIL(recorder.received == 1);
	ck_assert_uint_eq(recorder.peer.name.in6.sin6_scope_id, scope);
	assert_same_address(&recorder.peer, &here);
	ck_assert_int_eq(adopt_port_send(port, &recorder.peer, "welcome", 7), 0);
	assert_reads(client, "welcome");
	close(client);
	close(fd);
	free_loop();
}
END_TEST

START_TEST(row_06_scope_of_a_port)
{
	struct recorder_factory *factory = recorder_factory_new();
	struct adopt_address address = link_local(), told, here;
	int listener = bound_socket(SOCK_STREAM, &address), client;
	struct adopt_port *port;

	ck_assert_int_eq(adopt_stream_port(loop, listener, AF_INET6, &factory->factory, &port), 0);
	ck_assert_int_eq(adopt_port_local(port, &told), 0);
	ck_assert_uint_eq(told.name.in6.sin6_scope_id, scope);
	client = client_of(listener);
	here = own_address(client);
	RUN_UNTIL(factory->count == 1);
	assert_same_address(&factory->built[0]->peer, &here);
	ck_assert_uint_eq(factory->built[0]->peer.name.in6.sin6_scope_id, scope);
	close(client);
	close(listener);
	free_loop();
	recorder_factory_free(factory);
}
END_TEST

START_TEST(past_scope_of_a_connection)
{
	struct recorder_factory *factory = recorder_factory_new();
	struct adopt_address address = link_local();
	int listener = bound_socket(SOCK_STREAM, &address);

	address = own_address(listener);
	ck_assert_int_eq(
		adopt_connect_stream(loop, &address, SOCK_STREAM, 0, &factory->factory, NULL), 0);
	RUN_UNTIL(factory->count == 1);
	close(listener);
	free_loop();
	recorder_factory_free(factory);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("link-local");
	TCase *tests = harness_case("link-local");

	if (!enter_namespace()) {
		printf("skipped: no network namespace can be made\n");
		return SKIPPED;
	}
	suite_add_tcase(suite, tests);
	tcase_add_test(tests, past_scope_of_datagrams);
	tcase_add_test(tests, row_06_scope_of_a_port);
	tcase_add_test(tests, past_scope_of_a_connection);
	return harness_main(suite);
}

#else

int main(void)
{
	printf("skipped: this system has no network namespaces\n");
	return SKIPPED;
}

#endif
