/* Ports that are only watched, on the real reactor and on the memory reactor. */
#include "harness.h"

#include <errno.h>
#include <unistd.h>

static struct watcher {
	struct adopt_lookout base;
	unsigned waiting;
	unsigned stops;
	bool pauses; /* at the first who waits */
} watcher;

static void waiting(struct adopt_lookout *lookout)
{
	ck_assert_ptr_eq(lookout, &watcher.base);
	watcher.waiting++;
	if (watcher.pauses)
		adopt_port_pause(lookout->port);
}

static void stopped(struct adopt_lookout *lookout)
{
	ck_assert_ptr_null(lookout->port);
	watcher.stops++;
}

static const struct adopt_lookout_ops ops = {.waiting = waiting, .stop = stopped};

static void set_up(void)
{
	watcher = (struct watcher){.base.ops = &ops};
}

static void set_up_memory(void)
{
	free_loop();
	ck_assert_int_eq(adopt_memory_reactor_new(&loop), 0);
	set_up();
}

static struct adopt_port *watch(int fd)
{
	struct adopt_port *port = NULL;

	ck_assert_int_eq(adopt_watched_port(loop, fd, AF_UNSPEC, &watcher.base, &port), 0);
	ck_assert_ptr_eq(watcher.base.port, port);
	ck_assert_uint_eq(adopt_reactor_port_count(loop), 1);
	return port;
}

START_TEST(client_waits_until_somebody_takes_it)
{
	int listener = place_listener(&places[_i]), client;
	struct adopt_address own = own_address(listener), told;
	struct adopt_port *port = watch(listener);
	int again = adopt_port_descriptor(port);

	ck_assert_int_eq(adopt_port_local(port, &told), 0);
	assert_same_address(&told, &own);
	ck_assert_ptr_eq(adopt_port_reactor(port), loop);
	ck_assert_int_eq(adopt_port_send(port, &own, "x", 1), -EOPNOTSUPP);
	settle();
	ck_assert_uint_eq(watcher.waiting, 0);
	client = client_of(listener);
	close(listener);
	RUN_UNTIL(watcher.waiting > 1);
	watcher.pauses = true;
	settle();
	watcher.waiting = 0;
	settle();
	ck_assert_uint_eq(watcher.waiting, 0);
	adopt_port_resume(port);
	RUN_UNTIL(watcher.waiting == 1);
	/* It has never been taken from the queue. */
	close(accept(again, NULL, NULL));
	ck_assert_int_eq(accept(again, NULL, NULL), -1);
	adopt_port_resume(port);
	settle();
	ck_assert_uint_eq(watcher.waiting, 1);
	close(client);
}
END_TEST

START_TEST(datagram_waits_until_somebody_takes_it)
{
	struct adopt_address address = fresh_address(places[_i].family, places[_i].abstract);
	struct adopt_address other = fresh_address(places[_i].family, places[_i].abstract);
	int fd = bound_socket(SOCK_DGRAM, &address), client = bound_socket(SOCK_DGRAM, &other);
	struct adopt_port *port = watch(fd);

	address = own_address(fd);
	watcher.pauses = true;
	ck_assert_int_eq(sendto(client, "hello", 5, 0, &address.name.any, address.length), 5);
	RUN_UNTIL(watcher.waiting == 1);
	assert_reads(fd, "hello");
	adopt_port_resume(port);
	settle();
	ck_assert_uint_eq(watcher.waiting, 1);
	close(fd);
	close(client);
}
END_TEST

START_TEST(stop_comes_later_and_harms_nothing)
{
	int listener = place_listener(&places[_i]), client = client_of(listener), accepted;
	struct adopt_port *port = watch(listener), *again = port;

	adopt_port_stop(&port);
	adopt_port_stop(&again);
	ck_assert_ptr_null(port);
	ck_assert_uint_eq(watcher.stops, 0);
	RUN_UNTIL(watcher.stops == 1);
	settle();
	ck_assert_uint_eq(watcher.waiting, 0);
	ck_assert_uint_eq(adopt_reactor_port_count(loop), 0);
	accepted = accept(listener, NULL, NULL);
	ck_assert_int_ge(accepted, 0);
	close(accepted);
	close(client);
	close(listener);
}
END_TEST

START_TEST(reactor_ends_it)
{
	int listener = place_listener(&places[0]);

	open_descriptors();
	watch(listener);
	assert_new_close_on_exec();
	free_loop();
	ck_assert_uint_eq(watcher.stops, 1);
	close(listener);
}
END_TEST

static void assert_refused(int fd, int family, int error)
{
	struct adopt_port *port = NULL;

	ck_assert_int_eq(adopt_watched_port(loop, fd, family, &watcher.base, &port), error);
	ck_assert_ptr_null(port);
	ck_assert_ptr_null(watcher.base.port);
	ck_assert_uint_eq(adopt_reactor_port_count(loop), 0);
}

START_TEST(what_cannot_be_watched)
{
	int listener = place_listener(&places[0]), pair[2], ends[2];

	assert_refused(-1, AF_APPLETALK, -EAFNOSUPPORT);
	assert_refused(-1, AF_UNSPEC, -EBADF);
	assert_refused(listener, AF_INET6, -EAFNOSUPPORT);
	tcp_pair(pair);
	assert_refused(pair[0], AF_INET, -EINVAL);
	ck_assert_int_eq(pipe(ends), 0);
	assert_refused(ends[0], AF_UNSPEC, -ENOTSOCK);
	close(listener);
	close(pair[0]);
	close(pair[1]);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(memory_port)
{
	const struct adopt_memory_port *ports;
	struct adopt_port *port = watch(4711);

	ck_assert_uint_eq(adopt_memory_ports(loop, &ports), 1);
	ck_assert_int_eq(ports[0].fd, 4711);
	ck_assert_ptr_eq(ports[0].lookout, &watcher.base);
	ck_assert_ptr_null(ports[0].factory);
	ck_assert_ptr_null(ports[0].protocol);
	ck_assert_int_eq(adopt_port_descriptor(port), -1);
	watcher.pauses = true;
	ck_assert_int_eq(adopt_memory_waiting(port), 0);
	ck_assert_uint_eq(watcher.waiting, 1);
	ck_assert(ports[0].paused);
	ck_assert_int_eq(adopt_memory_waiting(port), -EAGAIN);
	adopt_port_resume(port);
	ck_assert_int_eq(adopt_memory_waiting(port), 0);
	adopt_port_stop(&port);
	ck_assert_int_eq(adopt_memory_waiting(watcher.base.port), -EPIPE);
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_uint_eq(watcher.stops, 1);
	ck_assert_uint_eq(watcher.waiting, 2);
}
END_TEST

START_TEST(memory_port_ends_with_its_reactor)
{
	watch(4711);
	free_loop();
	ck_assert_uint_eq(watcher.stops, 1);
}
END_TEST

START_TEST(raising_reactor)
{
	free_loop();
	ck_assert_int_eq(adopt_raising_memory_reactor_new(-EACCES, -EIO, &loop), 0);
	assert_refused(4711, AF_INET, -EACCES);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("watched ports");
	TCase *tests = harness_case("sockets"), *memory = harness_case("memory");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_loop_test(tests, client_waits_until_somebody_takes_it, 0, PLACES);
	tcase_add_loop_test(tests, datagram_waits_until_somebody_takes_it, 0, STREAM_PLACES);
	tcase_add_loop_test(tests, stop_comes_later_and_harms_nothing, 0, PLACES);
	tcase_add_test(tests, reactor_ends_it);
	tcase_add_test(tests, what_cannot_be_watched);
	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(memory, set_up_memory, NULL);
	tcase_add_test(memory, memory_port);
	tcase_add_test(memory, memory_port_ends_with_its_reactor);
	tcase_add_test(memory, raising_reactor);
	suite_add_tcase(suite, memory);
	return harness_main(suite);
}
