/* What a connection carries is counted, and told at its end to who is attached. */
#include "recorder.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct listener {
	struct adopt_attachment attachment;
	unsigned told;
	struct adopt_end end;
};

static struct recorder_factory *factory;
static struct listener listener;
static int outer; /* the test's end of the connection */

static void told(struct adopt_attachment *attachment, const struct adopt_end *end)
{
	struct listener *self = (struct listener *)attachment;

	self->told++;
	self->end = *end;
}

static void set_up(void)
{
	factory = recorder_factory_new();
	listener = (struct listener){.attachment.ended = told};
}

static void tear_down(void)
{
	free_loop();
	recorder_factory_free(factory);
}

static struct recorder *connected(const struct place *place)
{
	struct recorder *recorder = recorder_connected(factory, place, &outer);

	adopt_transport_attach(transport_of(recorder), &listener.attachment);
	return recorder;
}

static void assert_bytes(struct adopt_transport *transport, uint64_t received, uint64_t sent)
{
	uint64_t told_received, told_sent;

	adopt_transport_bytes(transport, &told_received, &told_sent);
	ck_assert_uint_eq(told_received, received);
	ck_assert_uint_eq(told_sent, sent);
}

static void assert_end(int error, uint64_t received, uint64_t sent)
{
	ck_assert_uint_eq(listener.told, 1);
	ck_assert_int_eq(listener.end.error, error);
	ck_assert_uint_eq(listener.end.received, received);
	ck_assert_uint_eq(listener.end.sent, sent);
}

START_TEST(all_that_came_and_went)
{
	struct recorder *recorder = connected(&places[_i]);
	struct peer peer;

	assert_bytes(transport_of(recorder), 0, 0);
	peer_start(&peer, outer, 1 << 20, true);
	queue_much(recorder);
	adopt_transport_shutdown_write(transport_of(recorder));
	RUN_UNTIL(recorder->lost == 1 && peer.ended);
	assert_end(0, 1 << 20, MUCH);
	ck_assert(!listener.end.detached);
	peer_stop(&peer);
	close(outer);
}
END_TEST

START_TEST(what_is_queued_has_not_been_sent)
{
	struct recorder *recorder = connected(&places[_i]);
	uint64_t gone;

	queue_much(recorder);
	gone = MUCH - adopt_transport_queued(transport_of(recorder));
	assert_bytes(transport_of(recorder), 0, gone);
	adopt_transport_abort(transport_of(recorder));
	assert_lost(recorder, -ECONNABORTED);
	assert_end(-ECONNABORTED, 0, gone);
	close(outer);
}
END_TEST

START_TEST(detached_connections_live_on)
{
	struct recorder *recorder = connected(&places[_i]);
	struct adopt_transport *transport = transport_of(recorder);
	int fd;

	send_text(outer, "hello");
	RUN_UNTIL(recorder->received == 5);
	write_text(recorder, "bye");
	ck_assert_int_eq(adopt_transport_detach(&transport, &fd), 0);
	assert_end(0, 5, 3);
	ck_assert(listener.end.detached);
	close(fd);
	close(outer);
}
END_TEST

/* What keeps them apart in the queue does not count. */
START_TEST(records_count_their_bytes)
{
	struct recorder *recorder;
	unsigned char record[1000];
	uint64_t written = 0;
	int pair[2], result = 0;

	unix_pair(SOCK_SEQPACKET, pair);
	recorder = adopt_recorded(factory, pair[1]);
	close(pair[1]);
	pattern_fill(0, record, sizeof record);
	while (result == 0) {
		result = adopt_transport_write(transport_of(recorder), record, sizeof record);
		ck_assert_int_ge(result, 0);
		written += sizeof record;
	}
	while (adopt_transport_queued(transport_of(recorder)) > 0) {
		RUN_UNTIL(readable(pair[0]));
		ck_assert_int_eq(recv(pair[0], record, sizeof record, 0), sizeof record);
	}
	assert_bytes(transport_of(recorder), 0, written);
	close(pair[0]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("end");
	TCase *tests = harness_case("end");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, all_that_came_and_went, 0, STREAM_PLACES);
	tcase_add_loop_test(tests, what_is_queued_has_not_been_sent, 0, STREAM_PLACES);
	tcase_add_loop_test(tests, detached_connections_live_on, 0, STREAM_PLACES);
	tcase_add_test(tests, records_count_their_bytes);
	suite_add_tcase(suite, tests);
	return harness_main(suite);
}
