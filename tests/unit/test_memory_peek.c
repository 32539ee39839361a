/* The memory reactor's transports (contract row 28) with a protocol that looks at bytes
 * and hands over. */
#include "memory_case.h"

#include <errno.h>
#include <string.h>

/* Looks, and hands over once it has seen enough. */
struct looker {
	struct adopt_protocol protocol;
	struct adopt_protocol *successor;
	size_t enough;
	unsigned looks;
	char seen[32];
	bool ended;
	int error; /* connection_lost's */
};

static void look(struct adopt_protocol *protocol)
{
	struct looker *looker = (struct looker *)protocol;
	size_t length;

	looker->looks++;
	ck_assert_int_eq(adopt_transport_peek(protocol->transport, looker->seen,
					      sizeof looker->seen - 1, &length, &looker->ended),
			 0);
	looker->seen[length] = '\0';
	if (looker->successor && length >= looker->enough)
		adopt_transport_hand_to(protocol->transport, looker->successor);
}

static void no_data(struct adopt_protocol *protocol, const void *data, size_t length)
{
	ck_abort_msg("%p looks and was given %zu bytes at %p", (void *)protocol, length, data);
}

static void looker_lost(struct adopt_protocol *protocol, int error)
{
	((struct looker *)protocol)->error = error;
}

static const struct adopt_protocol_ops looker_ops = {
	.waiting = look,
	.data_received = no_data,
	.connection_lost = looker_lost,
};

static struct looker looker, second;
static struct recorder *reader;
static struct adopt_transport *transport;

/* A connection that `looker` has; `reader` is there to get it. */
static void looker_set_up(void)
{
	looker = second = (struct looker){.protocol.ops = &looker_ops};
	reader = connected();
	transport = transport_of(reader);
	adopt_transport_hand_to(transport, &looker.protocol);
}

static void send_in(const char *text)
{
	ck_assert_int_eq(adopt_memory_deliver(transport, text, strlen(text)), 0);
}

static void turn(void)
{
	ck_assert_int_eq(adopt_reactor_run(loop), 0);
}

START_TEST(bytes_stay_where_they_are)
{
	ck_assert_int_eq(adopt_transport_skip(transport, 0), 0);
	send_in("ab");
	ck_assert_str_eq(looker.seen, "ab");
	send_in("c");
	ck_assert_uint_eq(looker.looks, 2);
	ck_assert_str_eq(looker.seen, "abc");
	turn();
	ck_assert_uint_eq(looker.looks, 2);
	ck_assert(!looker.ended);
}
END_TEST

START_TEST(skipped_bytes_are_gone)
{
	send_in("header:body");
	ck_assert_int_eq(adopt_transport_skip(transport, 12), -EINVAL);
	ck_assert_int_eq(adopt_transport_skip(transport, 7), 0);
	send_in("!");
	ck_assert_str_eq(looker.seen, "body!");
	adopt_transport_hand_to(transport, &reader->protocol);
	turn();
	ck_assert_str_eq(reader->first, "body!");
}
END_TEST

START_TEST(successor_gets_every_byte_on_a_later_turn)
{
	looker.successor = &reader->protocol;
	looker.enough = 3;
	send_in("ab");
	send_in("cd");
	ck_assert_uint_eq(reader->calls, 0);
	send_in("ef");
	turn();
	ck_assert_str_eq(reader->first, "abcdef");
	ck_assert_uint_eq(reader->calls, 1);
	send_in("gh");
	ck_assert_str_eq(reader->first, "abcdefgh");
	ck_assert_uint_eq(looker.looks, 2);
}
END_TEST

START_TEST(successor_that_looks_is_told)
{
	looker.successor = &second.protocol;
	looker.enough = 1;
	send_in("ab");
	turn();
	ck_assert_uint_eq(second.looks, 1);
	ck_assert_str_eq(second.seen, "ab");
	adopt_transport_hand_to(transport, &reader->protocol);
	turn();
	ck_assert_str_eq(reader->first, "ab");
}
END_TEST

START_TEST(handed_back_before_the_turn)
{
	send_in("ab");
	adopt_transport_hand_to(transport, &reader->protocol);
	adopt_transport_hand_to(transport, &second.protocol);
	turn();
	ck_assert_uint_eq(reader->calls, 0);
	ck_assert_str_eq(second.seen, "ab");
}
END_TEST

START_TEST(skipped_before_the_turn)
{
	send_in("ab");
	adopt_transport_hand_to(transport, &second.protocol);
	ck_assert_int_eq(adopt_transport_skip(transport, 2), 0);
	adopt_transport_hand_to(transport, &reader->protocol);
	turn();
	ck_assert_uint_eq(reader->calls + reader->read_closed, 0);
}
END_TEST

START_TEST(end_of_file_comes_behind_the_bytes)
{
	send_in("ab");
	ck_assert_int_eq(adopt_memory_deliver_eof(transport), 0);
	ck_assert(looker.ended);
	ck_assert_int_eq(adopt_memory_deliver(transport, "c", 1), -EPIPE);
	ck_assert_int_eq(adopt_memory_deliver_eof(transport), -EPIPE);
	adopt_transport_hand_to(transport, &reader->protocol);
	turn();
	ck_assert_str_eq(reader->first, "ab");
	ck_assert_uint_eq(reader->read_closed, 1);
	ck_assert_int_eq(adopt_memory_deliver(transport, "c", 1), -EPIPE);
	adopt_transport_pause(transport);
	adopt_transport_resume(transport);
	turn();
	ck_assert_uint_eq(reader->read_closed, 1);
	adopt_transport_shutdown_write(transport);
	turn();
	ck_assert_uint_eq(reader->lost, 1);
}
END_TEST

static void pause_reader(struct recorder *recorder, const void *data, size_t length)
{
	ck_assert_mem_eq(data, "ab", length);
	adopt_transport_pause(transport_of(recorder));
}

START_TEST(row_19_paused_successor_gets_nothing)
{
	send_in("ab");
	ck_assert_int_eq(adopt_memory_deliver_eof(transport), 0);
	adopt_transport_pause(transport);
	adopt_transport_hand_to(transport, &reader->protocol);
	turn();
	ck_assert_uint_eq(reader->calls, 0);
	factory->hooks.data = pause_reader;
	adopt_transport_resume(transport);
	ck_assert_uint_eq(reader->calls, 0);
	turn();
	ck_assert_uint_eq(reader->calls, 1);
	ck_assert_uint_eq(reader->read_closed, 0);
	adopt_transport_resume(transport);
	turn();
	ck_assert_uint_eq(reader->read_closed, 1);
}
END_TEST

START_TEST(what_waits_is_dropped_at_the_end)
{
	char byte;
	size_t length;
	bool ended;

	send_in("ab");
	adopt_transport_hand_to(transport, &reader->protocol);
	adopt_transport_abort(transport);
	ck_assert_int_eq(adopt_transport_peek(transport, &byte, 1, &length, &ended), -EPIPE);
	ck_assert_int_eq(adopt_transport_skip(transport, 1), -EPIPE);
	assert_ends(reader, -ECONNABORTED);
	ck_assert_uint_eq(reader->calls, 0);
}
END_TEST

START_TEST(looker_hears_of_the_end)
{
	adopt_memory_lose(transport, -ECONNRESET);
	ck_assert_int_eq(looker.error, 0);
	turn();
	ck_assert_int_eq(looker.error, -ECONNRESET);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory peek");
	TCase *tests = memory_case("memory peek");

	tcase_add_checked_fixture(tests, looker_set_up, NULL);
	suite_add_tcase(suite, tests);
	tcase_add_test(tests, bytes_stay_where_they_are);
	tcase_add_test(tests, skipped_bytes_are_gone);
	tcase_add_test(tests, successor_gets_every_byte_on_a_later_turn);
	tcase_add_test(tests, successor_that_looks_is_told);
	tcase_add_test(tests, handed_back_before_the_turn);
	tcase_add_test(tests, skipped_before_the_turn);
	tcase_add_test(tests, end_of_file_comes_behind_the_bytes);
	tcase_add_test(tests, row_19_paused_successor_gets_nothing);
	tcase_add_test(tests, what_waits_is_dropped_at_the_end);
	tcase_add_test(tests, looker_hears_of_the_end);
	return harness_main(suite);
}
