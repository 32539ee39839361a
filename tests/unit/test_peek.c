/* Protocols that look at bytes and leave them, idle timeouts, attachments. */
#include "recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* With edges it is one look for each arrival, without them one now and then; a loop
 * that spins makes thousands. */
#define LOOKS_MAX 20

/* Looks, until it is told to hand over. */
struct looker {
	struct adopt_protocol protocol;
	struct adopt_protocol *successor; /* gets the connection once `enough` bytes wait */
	size_t enough;
	unsigned looks;
	char seen[64];
	size_t length;
	bool ended;
	unsigned lost;
};

static void look(struct adopt_protocol *protocol)
{
	struct looker *looker = (struct looker *)protocol;

	looker->looks++;
	ck_assert_int_eq(adopt_transport_peek(protocol->transport, looker->seen,
					      sizeof looker->seen, &looker->length, &looker->ended),
			 0);
	if (looker->successor && looker->length >= looker->enough)
		adopt_transport_hand_to(protocol->transport, looker->successor);
}

static void no_data(struct adopt_protocol *protocol, const void *data, size_t length)
{
	(void)protocol;
	(void)data;
	(void)length;
	ck_abort_msg("a protocol that looks was given bytes");
}

static void looker_lost(struct adopt_protocol *protocol, int error)
{
	(void)error;
	((struct looker *)protocol)->lost++;
}

static const struct adopt_protocol_ops looker_ops = {
	.waiting = look,
	.data_received = no_data,
	.connection_lost = looker_lost,
};

static struct looker looker;
static struct recorder_factory *recorders;
static int pair[2];

static struct adopt_protocol *build_looker(struct adopt_factory *factory,
					   const struct adopt_address *peer)
{
	(void)factory;
	(void)peer;
	return &looker.protocol;
}

static const struct adopt_factory_ops factory_ops = {.build_protocol = build_looker};
static struct adopt_factory lookers = {.ops = &factory_ops};

static void begin(void)
{
	looker = (struct looker){.protocol.ops = &looker_ops};
	recorders = recorder_factory_new();
	ck_assert_int_eq(adopt_stream_connection(loop, pair[1], AF_UNSPEC, &lookers), 0);
	close(pair[1]);
}

static void setup(void)
{
	tcp_pair(pair);
	begin();
}

static void setup_records(void)
{
	unix_pair(SOCK_SEQPACKET, pair);
	begin();
}

static void teardown(void)
{
	close(pair[0]);
	free_loop();
	recorder_factory_free(recorders);
}

static struct recorder *successor(size_t enough)
{
	struct adopt_address nobody = {0};

	looker.successor = recorders->factory.ops->build_protocol(&recorders->factory, &nobody);
	looker.enough = enough;
	return (struct recorder *)looker.successor;
}

START_TEST(bytes_that_stay_cost_nothing)
{
	send_text(pair[0], "half");
	RUN_UNTIL(looker.length == 4);
	settle();
	ck_assert_uint_le(looker.looks, LOOKS_MAX);
	send_text(pair[0], "more");
	RUN_UNTIL(looker.length == 8);
	settle();
	ck_assert_uint_le(looker.looks, LOOKS_MAX);
	ck_assert(memcmp(looker.seen, "halfmore", 8) == 0);
	ck_assert(!looker.ended);
}
END_TEST

START_TEST(successor_gets_every_byte)
{
	struct recorder *recorder = successor(8);

	send_text(pair[0], "half");
	RUN_UNTIL(looker.length == 4);
	send_text(pair[0], "more");
	RUN_UNTIL(recorder->received == 8);
	ck_assert_str_eq(recorder->first, "halfmore");
	send_text(pair[0], "still");
	RUN_UNTIL(recorder->received == 13);
	write_text(recorder, "back");
	RUN_UNTIL(readable(pair[0]));
	assert_reads(pair[0], "back");
	ck_assert_uint_eq(looker.lost, 0);
	close(pair[0]);
	RUN_UNTIL(recorder->read_closed);
}
END_TEST

START_TEST(successor_may_come_without_an_event)
{
	struct recorder *recorder = successor(1000);

	send_text(pair[0], "half");
	RUN_UNTIL(looker.length == 4);
	adopt_transport_hand_to(looker.protocol.transport, looker.successor);
	RUN_UNTIL(recorder->received == 4);
	ck_assert_str_eq(recorder->first, "half");
}
END_TEST

START_TEST(end_of_file_shows_behind_bytes)
{
	send_text(pair[0], "half");
	RUN_UNTIL(looker.length == 4);
	ck_assert_int_eq(shutdown(pair[0], SHUT_WR), 0);
	RUN_UNTIL(looker.ended);
	ck_assert_uint_eq(looker.length, 4);
	settle();
	ck_assert_uint_le(looker.looks, LOOKS_MAX);
}
END_TEST

/* With the last bytes, whether those are the first or not: no other event follows. */
START_TEST(end_of_file_comes_with_bytes)
{
	if (_i) {
		send_text(pair[0], "half");
		RUN_UNTIL(looker.length == 4);
		settle();
	}
	send_text(pair[0], "more");
	ck_assert_int_eq(shutdown(pair[0], SHUT_WR), 0);
	RUN_UNTIL(looker.ended);
	ck_assert_uint_eq(looker.length, _i ? 8 : 4);
	settle();
	ck_assert_uint_le(looker.looks, LOOKS_MAX);
}
END_TEST

START_TEST(end_of_file_alone)
{
	ck_assert_int_eq(shutdown(pair[0], SHUT_WR), 0);
	RUN_UNTIL(looker.ended);
	ck_assert_uint_eq(looker.length, 0);
	settle();
	ck_assert_uint_le(looker.looks, LOOKS_MAX);
}
END_TEST

START_TEST(skipped_bytes_are_gone_and_no_others)
{
	struct recorder *recorder = successor(1000);
	uint64_t received, sent;

	send_text(pair[0], "PROXY rest");
	RUN_UNTIL(looker.length == 10);
	ck_assert_int_eq(adopt_transport_skip(looker.protocol.transport, 6), 0);
	adopt_transport_hand_to(looker.protocol.transport, looker.successor);
	RUN_UNTIL(recorder->received == 4);
	ck_assert_str_eq(recorder->first, "rest");
	adopt_transport_bytes(transport_of(recorder), &received, &sent);
	ck_assert_uint_eq(received, 4);
	ck_assert_int_eq(adopt_transport_skip(transport_of(recorder), 1), -EINVAL);
}
END_TEST

/* Taking half of one would lose the other half. */
START_TEST(records_are_skipped_as_a_whole)
{
	struct recorder *recorder = successor(1000);

	send_text(pair[0], "PROXY rest");
	RUN_UNTIL(looker.length == 10);
	ck_assert_int_eq(adopt_transport_skip(looker.protocol.transport, 6), -EINVAL);
	ck_assert_int_eq(adopt_transport_skip(looker.protocol.transport, 10), 0);
	send_text(pair[0], "next");
	adopt_transport_hand_to(looker.protocol.transport, looker.successor);
	RUN_UNTIL(recorder->received == 4);
	ck_assert_str_eq(recorder->first, "next");
}
END_TEST

START_TEST(reset_shows_behind_bytes)
{
	struct recorder *recorder = successor(1000);

	send_text(pair[0], "half");
	RUN_UNTIL(looker.length == 4);
	close_with_reset(pair[0]);
	pair[0] = -1;
	RUN_UNTIL(looker.ended);
	adopt_transport_hand_to(looker.protocol.transport, looker.successor);
	RUN_UNTIL(recorder->lost);
	ck_assert_uint_eq(recorder->received, 4);
	ck_assert_int_eq(recorder->error, -ECONNRESET);
}
END_TEST

START_TEST(peer_is_who_a_header_says)
{
	struct adopt_address said, told;

	ck_assert_int_eq(adopt_address_parse("192.0.2.9:99", &said), 0);
	ck_assert_int_eq(adopt_transport_set_peer(looker.protocol.transport, &said), 0);
	ck_assert_int_eq(adopt_transport_peer(looker.protocol.transport, &told), 0);
	ck_assert(adopt_address_equal(&said, &told));
}
END_TEST

static uint64_t heard_ms;

static void note_time(struct recorder *recorder, const void *data, size_t length)
{
	(void)recorder;
	(void)data;
	(void)length;
	heard_ms = adopt_reactor_now_ms(loop);
}

/* On a machine that is busy elsewhere it may end before half of its time is seen to be over. */
START_TEST(idle_connection_ends)
{
	struct recorder *recorder = successor(1);
	uint64_t begin = adopt_reactor_now_ms(loop);

	heard_ms = begin;
	recorders->hooks.data = note_time;
	adopt_transport_hand_to(looker.protocol.transport, looker.successor);
	ck_assert_int_eq(adopt_transport_set_idle_timeout(transport_of(recorder), 150), 0);
	RUN_UNTIL(adopt_reactor_now_ms(loop) >= begin + 100);
	if (recorder->lost == 0)
		send_text(pair[0], "x");
	RUN_UNTIL(recorder->lost);
	ck_assert_int_eq(recorder->error, -ETIMEDOUT);
	ck_assert_uint_ge(adopt_reactor_now_ms(loop), heard_ms + 150 - CLOCK_STEP_MS);
	ck_assert_int_eq(end_of(pair[0]), -ECONNRESET);
}
END_TEST

static int order[2], ended_count;

static void first_ended(struct adopt_attachment *attachment, const struct adopt_end *end)
{
	(void)attachment;
	ck_assert_uint_eq(looker.lost, 1);
	ck_assert_int_eq(end->error, -ECONNABORTED);
	ck_assert(!end->detached);
	order[ended_count++] = 1;
}

static void second_ended(struct adopt_attachment *attachment, const struct adopt_end *end)
{
	(void)attachment;
	(void)end;
	order[ended_count++] = 2;
}

START_TEST(attachments_are_told_last)
{
	struct adopt_attachment first = {.ended = first_ended}, second = {.ended = second_ended};

	adopt_transport_attach(looker.protocol.transport, &second);
	adopt_transport_attach(looker.protocol.transport, &first);
	adopt_transport_abort(looker.protocol.transport);
	RUN_UNTIL(ended_count == 2);
	ck_assert_int_eq(order[0], 1);
	ck_assert_int_eq(order[1], 2);
}
END_TEST

static struct looker later;
static unsigned read_once;

static void read_and_hand_over(struct adopt_protocol *protocol, const void *data, size_t length)
{
	(void)data;
	ck_assert_uint_eq(length, 3);
	read_once++;
	adopt_transport_hand_to(protocol->transport, &later.protocol);
}

static const struct adopt_protocol_ops once_ops = {
	.data_received = read_and_hand_over,
	.connection_lost = looker_lost,
};

START_TEST(who_looks_is_given_nothing_of_the_same_read)
{
	struct adopt_protocol once = {.ops = &once_ops};

	read_once = 0;
	later = (struct looker){.protocol.ops = &looker_ops};
	looker.successor = &once;
	looker.enough = 3;
	send_text(pair[0], "one");
	send_text(pair[0], "two");
	RUN_UNTIL(later.length == 3);
	ck_assert(memcmp(later.seen, "two", 3) == 0);
	ck_assert_uint_eq(read_once, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("peek");
	TCase *tests = harness_case("peek"), *records = harness_case("records");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, bytes_that_stay_cost_nothing);
	tcase_add_test(tests, successor_gets_every_byte);
	tcase_add_test(tests, successor_may_come_without_an_event);
	tcase_add_test(tests, end_of_file_shows_behind_bytes);
	tcase_add_loop_test(tests, end_of_file_comes_with_bytes, 0, 2);
	tcase_add_test(tests, end_of_file_alone);
	tcase_add_test(tests, skipped_bytes_are_gone_and_no_others);
	tcase_add_test(tests, reset_shows_behind_bytes);
	tcase_add_test(tests, peer_is_who_a_header_says);
	tcase_add_test(tests, idle_connection_ends);
	tcase_add_test(tests, attachments_are_told_last);
	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(records, setup_records, teardown);
	tcase_add_test(records, records_are_skipped_as_a_whole);
	tcase_add_test(records, who_looks_is_given_nothing_of_the_same_read);
	suite_add_tcase(suite, records);
	return harness_main(suite);
}
