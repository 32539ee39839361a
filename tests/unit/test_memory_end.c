/* The memory reactor's transports (contract row 28): how they end, or change hands. */
#include "memory_case.h"

#include <errno.h>

START_TEST(close_waits_for_what_is_written)
{
	struct recorder *recorder = connected();
	struct adopt_transport *transport = transport_of(recorder);

	write_text(recorder, "last words");
	adopt_transport_close(transport);
	adopt_transport_close(transport);
	ck_assert(adopt_memory_write_shut(transport));
	ck_assert_int_eq(adopt_transport_write(transport, "a", 1), -EPIPE);
	ck_assert_int_eq(deliver(recorder, "a"), -EPIPE);
	ck_assert_int_eq(adopt_memory_deliver_eof(transport), -EPIPE);
	adopt_memory_take(transport, 9);
	assert_lives(recorder);
	adopt_memory_take(transport, 1);
	assert_ends(recorder, 0);
}
END_TEST

START_TEST(close_with_nothing_written)
{
	struct recorder *recorder = connected();

	adopt_transport_close(transport_of(recorder));
	assert_ends(recorder, 0);
}
END_TEST

START_TEST(row_20_abort_drops_what_is_written)
{
	struct recorder *recorder = connected();

	write_text(recorder, "unheard");
	adopt_transport_abort(transport_of(recorder));
	ck_assert(!adopt_memory_write_shut(transport_of(recorder)));
	assert_ends(recorder, -ECONNABORTED);
}
END_TEST

START_TEST(row_20_abort_after_close)
{
	struct recorder *recorder = connected();

	write_text(recorder, "unheard");
	adopt_transport_close(transport_of(recorder));
	adopt_transport_abort(transport_of(recorder));
	assert_ends(recorder, -ECONNABORTED);
}
END_TEST

static void abort_and_more(struct recorder *recorder)
{
	struct adopt_transport *transport = transport_of(recorder);

	adopt_transport_abort(transport);
	adopt_transport_abort(transport);
	adopt_transport_close(transport);
	adopt_transport_shutdown_write(transport);
	adopt_transport_pause(transport);
	adopt_transport_resume(transport);
}

static void abort_on_data(struct recorder *recorder, const void *data, size_t length)
{
	(void)data;
	(void)length;
	abort_and_more(recorder);
}

/* The recorder fails the test where connection_lost comes inside a callback. */
START_TEST(row_20_abort_inside_callbacks)
{
	struct recorder *recorder;

	factory->hooks.made = _i == 0 ? abort_and_more : NULL;
	factory->hooks.data = abort_on_data;
	factory->hooks.read_closed = abort_and_more;
	factory->hooks.drained = abort_and_more;
	recorder = connected();
	adopt_transport_set_write_bound(transport_of(recorder), 1);
	if (_i == 1) {
		ck_assert_int_eq(deliver(recorder, "a"), 0);
	} else if (_i == 2) {
		ck_assert_int_eq(adopt_memory_deliver_eof(transport_of(recorder)), 0);
	} else if (_i == 3) {
		ck_assert_int_eq(adopt_transport_write(transport_of(recorder), "a", 1), 1);
		adopt_memory_take(transport_of(recorder), 1);
	}
	assert_ends(recorder, -ECONNABORTED);
}
END_TEST

START_TEST(row_20_lost_comes_once)
{
	struct recorder *recorder = connected();

	write_text(recorder, "unheard");
	adopt_memory_lose(transport_of(recorder), -ECONNRESET);
	adopt_memory_lose(transport_of(recorder), -EIO);
	abort_and_more(recorder);
	assert_ends(recorder, -ECONNRESET);
}
END_TEST

static void close_it(struct recorder *recorder)
{
	adopt_transport_close(transport_of(recorder));
}

START_TEST(close_in_read_closed)
{
	struct recorder *recorder = connected();

	factory->hooks.read_closed = close_it;
	ck_assert_int_eq(adopt_memory_deliver_eof(transport_of(recorder)), 0);
	assert_ends(recorder, 0);
}
END_TEST

START_TEST(detach_has_nothing_to_give)
{
	struct recorder *recorder = connected();
	struct adopt_transport *transport = transport_of(recorder);
	int fd = FD;

	ck_assert_int_eq(adopt_transport_detach(&transport, &fd), -EOPNOTSUPP);
	ck_assert_int_eq(adopt_transport_take_descriptor(transport, &fd), -EOPNOTSUPP);
	ck_assert_ptr_eq(transport, transport_of(recorder));
	ck_assert_int_eq(fd, FD);
	assert_lives(recorder);
}
END_TEST

START_TEST(hand_to_another_protocol)
{
	struct recorder *first = connected(), *second;
	struct adopt_transport *transport = transport_of(first);

	ck_assert_ptr_nonnull(
		factory->factory.ops->build_protocol(&factory->factory, &first->peer));
	second = factory->built[1];
	ck_assert_int_eq(deliver(first, "a"), 0);
	adopt_transport_hand_to(transport, &second->protocol);
	ck_assert_ptr_null(first->protocol.transport);
	ck_assert_ptr_eq(transport_of(second), transport);
	ck_assert_uint_eq(second->made, 1);
	ck_assert_int_eq(deliver(second, "b"), 0);
	ck_assert_str_eq(first->first, "a");
	ck_assert_str_eq(second->first, "b");
	adopt_transport_close(transport);
	assert_ends(second, 0);
	ck_assert_uint_eq(first->lost, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory end");
	TCase *tests = memory_case("memory end");

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, close_waits_for_what_is_written);
	tcase_add_test(tests, close_with_nothing_written);
	tcase_add_test(tests, row_20_abort_drops_what_is_written);
	tcase_add_test(tests, row_20_abort_after_close);
	tcase_add_loop_test(tests, row_20_abort_inside_callbacks, 0, 4);
	tcase_add_test(tests, row_20_lost_comes_once);
	tcase_add_test(tests, close_in_read_closed);
	tcase_add_test(tests, detach_has_nothing_to_give);
	tcase_add_test(tests, hand_to_another_protocol);
	return harness_main(suite);
}
