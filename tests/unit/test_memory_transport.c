/* The memory reactor's transports (contract row 28): how they begin, read and write. */
#include "memory_case.h"

#include <errno.h>
#include <string.h>

/* --- how it begins --- */

START_TEST(row_07_08_addresses)
{
	struct adopt_address local = address_of("[fe80::1%4711]:80");
	struct adopt_address peer = address_of("unix:@peer"), got;
	struct adopt_transport *transport = NULL;
	struct recorder *fixed = connected();

	ck_assert_int_eq(
		adopt_memory_transport_new(loop, &factory->factory, &local, &peer, &transport), 0);
	ck_assert_ptr_eq(transport_of(factory->built[1]), transport);
	assert_same_address(&factory->built[1]->peer, &peer);
	ck_assert_int_eq(adopt_transport_local(transport, &got), 0);
	assert_same_address(&got, &local);
	ck_assert_int_eq(adopt_transport_peer(transport, &got), 0);
	assert_same_address(&got, &peer);
	ck_assert_ptr_eq(adopt_transport_reactor(transport), loop);

	local = address_of("192.0.2.1:80");
	peer = address_of("192.0.2.2:1024");
	assert_same_address(&fixed->peer, &peer);
	ck_assert_int_eq(adopt_transport_local(transport_of(fixed), &got), 0);
	assert_same_address(&got, &local);
}
END_TEST

static struct observed *watched;

static void made_after_begun(struct recorder *recorder)
{
	ck_assert_uint_eq(watched->begun, 1);
	ck_assert_uint_eq(recorder->made, 1);
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 1);
}

static void lost_before_ended(struct recorder *recorder)
{
	ck_assert_uint_eq(recorder->lost, 1);
	ck_assert_uint_eq(watched->ended, 0);
}

START_TEST(observer_frames_the_protocol)
{
	struct observed observed;

	watched = &observed;
	observe(&observed);
	factory->hooks.made = made_after_begun;
	factory->hooks.lost = lost_before_ended;
	adopt_memory_lose(transport_of(connected()), -ECONNRESET);
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
	ck_assert_uint_eq(observed.ended, 1);
	ck_assert_int_eq(observed.ended_error, -ECONNRESET);
}
END_TEST

START_TEST(row_16_nothing_built)
{
	struct adopt_transport *transport = NULL;

	factory->refuse = 1;
	ck_assert_int_eq(
		adopt_memory_transport_new(loop, &factory->factory, NULL, NULL, &transport),
		-ECONNABORTED);
	ck_assert_ptr_null(transport);
	ck_assert_uint_eq(adopt_reactor_connection_count(loop), 0);
}
END_TEST

/* --- reading --- */

START_TEST(data_comes_in_order)
{
	struct recorder *recorder = connected();

	ck_assert_int_eq(deliver(recorder, "ab"), 0);
	ck_assert_int_eq(deliver(recorder, ""), 0);
	ck_assert_int_eq(adopt_memory_deliver(transport_of(recorder), NULL, 0), 0);
	ck_assert_int_eq(deliver(recorder, "c"), 0);
	ck_assert_uint_eq(recorder->calls, 4);
	ck_assert_str_eq(recorder->first, "abc");
}
END_TEST

START_TEST(row_19_paused_transport_gets_nothing)
{
	struct recorder *recorder = connected();
	struct adopt_transport *transport = transport_of(recorder);

	ck_assert(!adopt_memory_paused(transport));
	adopt_transport_pause(transport);
	adopt_transport_pause(transport);
	ck_assert(adopt_memory_paused(transport));
	ck_assert_int_eq(deliver(recorder, "a"), -EAGAIN);
	ck_assert_int_eq(adopt_memory_deliver_eof(transport), -EAGAIN);
	ck_assert_uint_eq(recorder->calls + recorder->read_closed, 0);
	adopt_transport_resume(transport);
	adopt_transport_resume(transport);
	ck_assert(!adopt_memory_paused(transport));
	ck_assert_int_eq(deliver(recorder, "a"), 0);
	ck_assert_int_eq(adopt_memory_deliver_eof(transport), 0);
	ck_assert_uint_eq(recorder->read_closed, 1);
}
END_TEST

START_TEST(row_21_writing_goes_on_after_the_peer_has_ended)
{
	struct recorder *recorder = connected();

	ck_assert_int_eq(adopt_memory_deliver_eof(transport_of(recorder)), 0);
	ck_assert_int_eq(adopt_memory_deliver_eof(transport_of(recorder)), -EPIPE);
	ck_assert_int_eq(deliver(recorder, "a"), -EPIPE);
	assert_lives(recorder);
	write_text(recorder, "answer");
	assert_written(recorder, "answer");
	adopt_transport_shutdown_write(transport_of(recorder));
	assert_lives(recorder);
	adopt_memory_take(transport_of(recorder), 6);
	assert_ends(recorder, 0);
}
END_TEST

START_TEST(row_21_reading_goes_on_after_shutdown)
{
	struct recorder *recorder = connected();

	write_text(recorder, "bye");
	adopt_transport_shutdown_write(transport_of(recorder));
	adopt_transport_shutdown_write(transport_of(recorder));
	ck_assert(adopt_memory_write_shut(transport_of(recorder)));
	ck_assert_int_eq(adopt_transport_write(transport_of(recorder), "a", 1), -EPIPE);
	assert_written(recorder, "bye");
	adopt_memory_take(transport_of(recorder), 3);
	assert_lives(recorder);
	ck_assert_int_eq(deliver(recorder, "more"), 0);
	ck_assert_str_eq(recorder->first, "more");
	ck_assert_int_eq(adopt_memory_deliver_eof(transport_of(recorder)), 0);
	ck_assert_uint_eq(recorder->read_closed, 1);
	assert_ends(recorder, 0);
}
END_TEST

/* Without a read_closed, the end of file closes, after what is to be written. */
START_TEST(row_21_end_of_file_closes)
{
	struct recorder *recorder;

	factory->protocol_ops = &recorder_ops_required_only;
	recorder = connected();
	write_text(recorder, "rest");
	ck_assert_int_eq(adopt_memory_deliver_eof(transport_of(recorder)), 0);
	assert_lives(recorder);
	assert_written(recorder, "rest");
	ck_assert(adopt_memory_write_shut(transport_of(recorder)));
	adopt_memory_take(transport_of(recorder), 4);
	assert_ends(recorder, 0);
}
END_TEST

/* --- writing --- */

START_TEST(written_bytes_wait_until_taken)
{
	struct recorder *recorder = connected();
	char text[] = "abc";

	assert_written(recorder, "");
	write_text(recorder, text);
	memset(text, 'x', 3);
	write_text(recorder, "def");
	ck_assert_int_eq(adopt_transport_write(transport_of(recorder), NULL, 0), 0);
	assert_written(recorder, "abcdef");
	adopt_memory_take(transport_of(recorder), 0);
	adopt_memory_take(transport_of(recorder), 4);
	assert_written(recorder, "ef");
	adopt_memory_take(transport_of(recorder), 100);
	assert_written(recorder, "");
	ck_assert_uint_eq(recorder->drained, 0);
}
END_TEST

START_TEST(bound_and_drained)
{
	struct recorder *recorder = connected();
	struct adopt_transport *transport = transport_of(recorder);

	adopt_transport_set_write_bound(transport, 10);
	ck_assert_int_eq(adopt_transport_write(transport, "123456789", 9), 0);
	ck_assert_int_eq(adopt_transport_write(transport, "0", 1), 1);
	ck_assert_int_eq(adopt_transport_write(transport, "x", 1), -ENOBUFS);
	ck_assert_int_eq(adopt_transport_write(transport, "", 0), -ENOBUFS);
	assert_written(recorder, "1234567890");
	adopt_memory_take(transport, 4);
	ck_assert_uint_eq(recorder->drained, 0);
	adopt_memory_take(transport, 1);
	ck_assert_uint_eq(recorder->drained, 1);
	adopt_memory_take(transport, 5);
	ck_assert_uint_eq(recorder->drained, 1);
	/* What is once too much is taken whole, as a kernel may have done. */
	ck_assert_int_eq(adopt_transport_write(transport, "a long text", 11), 1);
	assert_written(recorder, "a long text");
	adopt_memory_take(transport, 11);
	ck_assert_uint_eq(recorder->drained, 2);
}
END_TEST

START_TEST(default_bound)
{
	static char bytes[ADOPT_WRITE_BOUND_BYTES - 1];
	struct adopt_transport *transport = transport_of(connected());

	ck_assert_int_eq(adopt_transport_write(transport, bytes, sizeof bytes), 0);
	ck_assert_int_eq(adopt_transport_write(transport, bytes, 1), 1);
	adopt_transport_set_write_bound(transport, 0);
	adopt_memory_take(transport, sizeof bytes);
	ck_assert_uint_eq(factory->built[0]->drained, 0);
	adopt_memory_take(transport, 1);
	ck_assert_uint_eq(factory->built[0]->drained, 1);
	ck_assert_int_eq(adopt_transport_write(transport, bytes, 1), 1);
}
END_TEST

static void write_again(struct recorder *recorder)
{
	if (recorder->drained < 3)
		ck_assert_int_eq(adopt_transport_write(transport_of(recorder), "aa", 2), 1);
}

START_TEST(drained_writes_again)
{
	struct recorder *recorder = connected();
	struct adopt_transport *transport = transport_of(recorder);

	factory->hooks.drained = write_again;
	adopt_transport_set_write_bound(transport, 2);
	ck_assert_int_eq(adopt_transport_write(transport, "aa", 2), 1);
	for (unsigned i = 1; i < 3; i++) {
		adopt_memory_take(transport, 2);
		ck_assert_uint_eq(recorder->drained, i);
		assert_written(recorder, "aa");
	}
	adopt_memory_take(transport, 2);
	ck_assert_uint_eq(recorder->drained, 3);
	assert_written(recorder, "");
}
END_TEST

START_TEST(closing_is_not_drained)
{
	struct recorder *recorder = connected();
	struct adopt_transport *transport = transport_of(recorder);

	adopt_transport_set_write_bound(transport, 4);
	ck_assert_int_eq(adopt_transport_write(transport, "aaaa", 4), 1);
	adopt_transport_close(transport);
	adopt_memory_take(transport, 2);
	adopt_memory_take(transport, 2);
	ck_assert_uint_eq(recorder->drained, 0);
	assert_ends(recorder, 0);
}
END_TEST

START_TEST(drained_may_be_left_out)
{
	struct adopt_transport *transport;

	factory->protocol_ops = &recorder_ops_required_only;
	transport = transport_of(connected());
	adopt_transport_set_write_bound(transport, 1);
	ck_assert_int_eq(adopt_transport_write(transport, "a", 1), 1);
	adopt_memory_take(transport, 1);
	ck_assert_int_eq(adopt_transport_write(transport, "b", 1), 1);
}
END_TEST

START_TEST(bytes_are_counted)
{
	struct adopt_transport *transport = transport_of(connected());
	uint64_t received, sent;

	ck_assert_int_eq(adopt_memory_deliver(transport, "hello", 5), 0);
	ck_assert_int_eq(adopt_transport_write(transport, "bye", 3), 0);
	adopt_memory_take(transport, 2);
	adopt_transport_bytes(transport, &received, &sent);
	ck_assert_uint_eq(received, 5);
	ck_assert_uint_eq(sent, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory transport");
	TCase *tests = memory_case("memory transport");

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, row_07_08_addresses);
	tcase_add_test(tests, observer_frames_the_protocol);
	tcase_add_test(tests, row_16_nothing_built);
	tcase_add_test(tests, data_comes_in_order);
	tcase_add_test(tests, row_19_paused_transport_gets_nothing);
	tcase_add_test(tests, row_21_writing_goes_on_after_the_peer_has_ended);
	tcase_add_test(tests, row_21_reading_goes_on_after_shutdown);
	tcase_add_test(tests, row_21_end_of_file_closes);
	tcase_add_test(tests, written_bytes_wait_until_taken);
	tcase_add_test(tests, bound_and_drained);
	tcase_add_test(tests, default_bound);
	tcase_add_test(tests, drained_writes_again);
	tcase_add_test(tests, closing_is_not_drained);
	tcase_add_test(tests, drained_may_be_left_out);
	tcase_add_test(tests, bytes_are_counted);
	return harness_main(suite);
}
