/* Outbound stream connections. */
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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

static void start(const struct adopt_address *address, int type, uint64_t timeout_ms,
		  struct adopt_connector **ret)
{
	ck_assert_int_eq(
		adopt_connect_stream(loop, address, type, timeout_ms, &factory->factory, ret), 0);
	ck_assert_uint_eq(factory->asked + factory->connect_failed, 0);
}

START_TEST(connects)
{
	const struct place *place = &places[_i];
	int listener = place_listener(place);
	struct adopt_address there = own_address(listener), peer;
	struct recorder *recorder;
	int accepted;

	start(&there, place->type, 5000, NULL);
	RUN_UNTIL(factory->count == 1);
	recorder = factory->built[0];
	ck_assert_uint_eq(recorder->made, 1);
	assert_same_address(&recorder->peer, &there);
	ck_assert_int_eq(adopt_transport_peer(transport_of(recorder), &peer), 0);
	assert_same_address(&peer, &there);
	accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	write_text(recorder, "hello");
	assert_reads(accepted, "hello");
	send_text(accepted, "welcome");
	RUN_UNTIL(recorder->received == 7);
	ck_assert_uint_eq(factory->starts + factory->stops + factory->connect_failed, 0);
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 1);
	close(accepted);
	close(listener);
}
END_TEST

START_TEST(refused)
{
	const struct place *place = &places[_i];
	int listener = place_listener(place);
	struct adopt_address there = own_address(listener);
	unsigned before;

	close(listener);
	before = open_descriptors();
	start(&there, place->type, 5000, NULL);
	RUN_UNTIL(factory->connect_failed == 1);
	ck_assert_int_eq(factory->connect_error, -ECONNREFUSED);
	settle();
	ck_assert_uint_eq(factory->asked, 0);
	ck_assert_uint_eq(factory->connect_failed, 1);
	ck_assert_uint_eq(open_descriptors(), before);
}
END_TEST

START_TEST(path_that_is_not_there)
{
	struct adopt_address there = fresh_address(AF_UNIX, false);

	start(&there, SOCK_STREAM, 0, NULL);
	RUN_UNTIL(factory->connect_failed == 1);
	ck_assert_int_eq(factory->connect_error, -ENOENT);
}
END_TEST

/* A listener whose backlog is full: TCP drops what comes then. The clients that
 * filled it stay open. */
static int full_listener(int clients[8])
{
	struct adopt_address address = fresh_address(AF_INET, false);
	int listener = bound_socket(SOCK_STREAM, &address);

	ck_assert_int_eq(listen(listener, 0), 0);
	address = own_address(listener);
	for (int i = 0; i < 8; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (connect(clients[i], &address.name.any, address.length) < 0)
			ck_assert_int_eq(errno, EINPROGRESS);
	}
	return listener;
}

static void close_all(int listener, const int clients[8])
{
	for (int i = 0; i < 8; i++)
		close(clients[i]);
	close(listener);
}

START_TEST(times_out)
{
	int clients[8], listener = full_listener(clients);
	struct adopt_address there = own_address(listener);
	uint64_t began = adopt_reactor_now_ms(loop);
	unsigned before = open_descriptors();

	start(&there, SOCK_STREAM, 80, NULL);
	RUN_UNTIL(factory->connect_failed == 1);
	ck_assert_int_eq(factory->connect_error, -ETIMEDOUT);
	ck_assert_uint_ge(adopt_reactor_now_ms(loop) - began, 80 - CLOCK_STEP_MS);
	ck_assert_uint_eq(open_descriptors(), before);
	ck_assert_uint_eq(factory->asked, 0);
	close_all(listener, clients);
}
END_TEST

START_TEST(cancelled_while_waiting)
{
	int clients[8], listener = full_listener(clients);
	struct adopt_address there = own_address(listener);
	unsigned before = open_descriptors();
	struct adopt_connector *connector;

	start(&there, SOCK_STREAM, 5000, &connector);
	settle();
	adopt_connector_cancel(&connector);
	ck_assert_ptr_null(connector);
	adopt_connector_cancel(&connector);
	ck_assert_uint_eq(open_descriptors(), before);
	settle();
	settle();
	ck_assert_uint_eq(factory->asked + factory->connect_failed, 0);
	close_all(listener, clients);
}
END_TEST

/* Cancelled before the loop could say how it went. */
START_TEST(cancelled_at_once)
{
	const struct place *place = &places[_i];
	int listener = place_listener(place);
	struct adopt_address there = own_address(listener);
	struct adopt_connector *connector;

	start(&there, place->type, 0, &connector);
	adopt_connector_cancel(&connector);
	settle();
	ck_assert_uint_eq(factory->asked + factory->connect_failed, 0);
	close(listener);
}
END_TEST

START_TEST(nothing_built)
{
	const struct place *place = &places[_i];
	int listener = place_listener(place);
	struct adopt_address there = own_address(listener);
	unsigned before = open_descriptors();

	factory->refuse = 1;
	start(&there, place->type, 0, NULL);
	RUN_UNTIL(factory->connect_failed == 1);
	ck_assert_int_eq(factory->connect_error, -ECONNABORTED);
	ck_assert_uint_eq(open_descriptors(), before);
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 0);
	close(listener);
}
END_TEST

START_TEST(refused_before_it_begins)
{
	struct adopt_address there = fresh_address(AF_INET, false), nowhere = {0};
	unsigned before = open_descriptors();
	struct adopt_connector *connector = NULL;

	ck_assert_int_eq(
		adopt_connect_stream(loop, &nowhere, SOCK_STREAM, 0, &factory->factory, &connector),
		-EAFNOSUPPORT);
	ck_assert_int_eq(
		adopt_connect_stream(loop, &there, SOCK_DGRAM, 0, &factory->factory, &connector),
		-ESOCKTNOSUPPORT);
	use_up_descriptors(0);
	ck_assert_int_eq(
		adopt_connect_stream(loop, &there, SOCK_STREAM, 0, &factory->factory, &connector),
		-EMFILE);
	give_back_descriptors();
	settle();
	ck_assert_ptr_null(connector);
	ck_assert_uint_eq(factory->asked + factory->connect_failed, 0);
	ck_assert_uint_eq(open_descriptors(), before);
}
END_TEST

START_TEST(freed_while_waiting)
{
	int clients[8], listener = full_listener(clients);
	struct adopt_address there = own_address(listener);

	start(&there, SOCK_STREAM, 0, NULL);
	settle();
	free_loop();
	ck_assert_uint_eq(factory->connect_failed, 1);
	ck_assert_int_eq(factory->connect_error, -ECANCELED);
	close_all(listener, clients);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("connect");
	TCase *tests = harness_case("connect");

	tcase_add_checked_fixture(tests, factory_set_up, factory_tear_down);
	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, connects, 0, PLACES);
	tcase_add_loop_test(tests, refused, 0, PLACES);
	tcase_add_test(tests, path_that_is_not_there);
	tcase_add_test(tests, times_out);
	tcase_add_test(tests, cancelled_while_waiting);
	tcase_add_loop_test(tests, cancelled_at_once, 0, PLACES);
	tcase_add_loop_test(tests, nothing_built, 0, PLACES);
	tcase_add_test(tests, refused_before_it_begins);
	tcase_add_test(tests, freed_while_waiting);
	return harness_main(suite);
}
