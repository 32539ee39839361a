/* AF_VSOCK: skipped where the kernel has no such sockets, and its connections
 * where there is no loopback for them (the module vsock_loopback). */
#include "recorder.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* What programs exit with to say that their tests were skipped. */
#define SKIPPED 77

#if defined HAVE_LINUX_VM_SOCKETS_H
#include <linux/vm_sockets.h>

static struct recorder_factory *factory;

static void factory_set_up(void)
{
	factory = recorder_factory_new();
}

static void factory_tear_down(void)
{
	free_loop();
	recorder_factory_free(factory);
}

static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET};

/* Returns a listening socket, or -1. */
static int vsock_listener(int type)
{
	struct sockaddr_vm any = {
		.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = VMADDR_PORT_ANY};
	int fd = socket(AF_VSOCK, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && (bind(fd, (struct sockaddr *)&any, sizeof any) < 0 || listen(fd, 8) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The address at which the loopback reaches a listener. */
static struct adopt_address loopback_of(int listener)
{
	struct adopt_address address = own_address(listener);
	struct sockaddr_vm *name = (struct sockaddr_vm *)&address.name;

	name->svm_cid = VMADDR_CID_LOCAL;
	return address;
}

/* Returns a connected client of a listener, or -1. */
static int vsock_client(int listener, int type)
{
	struct adopt_address there = loopback_of(listener);
	int fd = socket(AF_VSOCK, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct pollfd state = {.fd = fd, .events = POLLOUT};

	if (connect(fd, &there.name.any, there.length) == 0)
		return fd;
	if (errno == EINPROGRESS && poll(&state, 1, 500) == 1 &&
	    connect(fd, &there.name.any, there.length) == 0)
		return fd;
	close(fd);
	return -1;
}

START_TEST(past_vsock_port)
{
	int listener = vsock_listener(types[_i]);
	struct adopt_address own = own_address(listener), told;
	struct adopt_port *port;

	ck_assert_int_eq(adopt_stream_port(loop, listener, AF_INET, &factory->factory, NULL),
			 -EAFNOSUPPORT);
	ck_assert_int_eq(adopt_stream_port(loop, listener, AF_VSOCK, &factory->factory, &port), 0);
	ck_assert_int_eq(adopt_port_local(port, &told), 0);
	assert_same_address(&told, &own);
	adopt_port_stop(&port);
	RUN_UNTIL(factory->stops == 1);
	ck_assert_int_eq(accept(listener, NULL, NULL), -1);
	ck_assert_int_eq(errno, EAGAIN);
	close(listener);
}
END_TEST

START_TEST(past_vsock_client)
{
	int listener = vsock_listener(types[_i]), client;
	struct adopt_address here;

	ck_assert_int_eq(adopt_stream_port(loop, listener, AF_UNSPEC, &factory->factory, NULL), 0);
	client = vsock_client(listener, types[_i]);
	ck_assert_int_ge(client, 0);
	here = own_address(client);
	RUN_UNTIL(factory->count == 1);
	assert_same_address(&factory->built[0]->peer, &here);
	send_text(client, "hello");
	RUN_UNTIL(factory->built[0]->received == 5);
	write_text(factory->built[0], "welcome");
	RUN_UNTIL(readable(client));
	assert_reads(client, "welcome");
	shutdown(client, SHUT_WR);
	RUN_UNTIL(factory->built[0]->read_closed == 1);
	adopt_transport_close(transport_of(factory->built[0]));
	RUN_UNTIL(factory->built[0]->lost == 1);
	ck_assert_int_eq(factory->built[0]->error, 0);
	close(client);
	close(listener);
}
END_TEST

START_TEST(past_vsock_connect)
{
	int listener = vsock_listener(SOCK_STREAM), accepted;
	struct adopt_address there = loopback_of(listener);

	ck_assert_int_eq(
		adopt_connect_stream(loop, &there, SOCK_STREAM, 5000, &factory->factory, NULL), 0);
	RUN_UNTIL(factory->count == 1);
	accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	write_text(factory->built[0], "hello");
	RUN_UNTIL(readable(accepted));
	assert_reads(accepted, "hello");
	close(accepted);
	close(listener);
}
END_TEST

static TCase *vsock_case(Suite *suite, const char *name)
{
	TCase *tests = harness_case(name);

	tcase_add_checked_fixture(tests, factory_set_up, factory_tear_down);
	suite_add_tcase(suite, tests);
	return tests;
}

/* Returns whether a client can reach a listener on this very machine. */
static bool has_loopback(int listener, int type)
{
	int client = vsock_client(listener, type);

	if (client >= 0)
		close(client);
	return client >= 0;
}

int main(void)
{
	Suite *suite = suite_create("vsock");
	TCase *ports = vsock_case(suite, "ports"), *clients = vsock_case(suite, "clients");
	unsigned skipped = 0;
	int failed;

	for (int i = 0; i < 2; i++) {
		int listener = vsock_listener(types[i]);

		if (listener >= 0)
			tcase_add_loop_test(ports, past_vsock_port, i, i + 1);
		if (listener >= 0 && has_loopback(listener, types[i])) {
			tcase_add_loop_test(clients, past_vsock_client, i, i + 1);
			if (types[i] == SOCK_STREAM)
				tcase_add_test(clients, past_vsock_connect);
		} else {
			printf("skipped: VSOCK %s: the kernel has no loopback for it\n",
			       types[i] == SOCK_STREAM ? "streams" : "records");
			skipped++;
		}
		close(listener);
	}
	fflush(stdout);
	failed = harness_main(suite);
	return failed == 0 && skipped > 0 ? SKIPPED : failed;
}

#else

int main(void)
{
	printf("skipped: this system has no VSOCK\n");
	return SKIPPED;
}

#endif
