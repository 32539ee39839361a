/* The small services on real sockets: records, and peers that are slow or fast. */
#include "handlers/handler.h"
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BULK_BYTES (4 * 1024 * 1024)
#define CHARGEN_LINE 74

static const struct handler *handler;
static struct handler_settings *settings;
static struct adopt_factory *factory;
static struct host host;
static int peer = -1;

/* Serves one end of a pair, and keeps the other. */
static void serve(const char *name, int pair[2])
{
	handler = handler_find(name);
	ck_assert_ptr_nonnull(handler);
	ck_assert_int_eq(handler->settings_new(NULL, NULL, &settings), 0);
	host_init(&host, loop, NULL);
	ck_assert_int_eq(handler->stream_new(settings, &host, &factory), 0);
	ck_assert_int_eq(adopt_stream_connection(loop, pair[1], AF_UNSPEC, factory), 0);
	close(pair[1]);
	peer = pair[0];
}

static void serve_records(const char *name)
{
	int pair[2];

	unix_pair(SOCK_SEQPACKET, pair);
	serve(name, pair);
}

static void serve_tcp(const char *name)
{
	int pair[2];

	tcp_pair(pair);
	serve(name, pair);
}

static void done(void)
{
	close(peer);
	free_loop();
	handler->stream_free(factory);
	handler->settings_free(settings);
}

/* Waits for one record. Returns its length. */
static ssize_t next_record(char *record, size_t size)
{
	RUN_UNTIL(readable(peer));
	return recv(peer, record, size, 0);
}

START_TEST(echo_keeps_records)
{
	char record[16];

	serve_records("echo");
	ck_assert_int_eq(send(peer, "first", 5, 0), 5);
	ck_assert_int_eq(send(peer, "", 0, 0), 0);
	ck_assert_int_eq(send(peer, "3", 1, 0), 1);
	ck_assert_int_eq(next_record(record, sizeof record), 5);
	ck_assert_int_eq(next_record(record, sizeof record), 0);
	ck_assert_int_eq(next_record(record, sizeof record), 1);
	ck_assert_int_eq(record[0], '3');
	done();
}
END_TEST

START_TEST(chargen_sends_a_line_a_record)
{
	char record[256];

	serve_records("chargen");
	for (unsigned i = 0; i < 2000; i++) {
		ck_assert_int_eq(next_record(record, sizeof record), CHARGEN_LINE);
		ck_assert_int_eq(record[0], ' ' + i % 95);
		ck_assert(memcmp(record + 72, "\r\n", 2) == 0);
	}
	done();
}
END_TEST

START_TEST(time_is_one_record_then_the_end)
{
	char record[64];

	serve_records("time");
	ck_assert_int_eq(next_record(record, sizeof record), 4);
	RUN_UNTIL(end_of(peer) == 0);
	done();
}
END_TEST

START_TEST(echo_bulk_to_a_peer_that_reads_late)
{
	static char block[65536];
	uint64_t sent = 0, received = 0;
	uint64_t deadline;

	serve_tcp("echo");
	/* Until both ways are full: the service has stopped reading. */
	for (unsigned idle = 0; idle < 20 && sent < 64 * (uint64_t)BULK_BYTES; idle++) {
		ssize_t length;

		pattern_fill(sent, block, sizeof block);
		while ((length = send(peer, block, sizeof block, 0)) > 0) {
			sent += (uint64_t)length;
			pattern_fill(sent, block, sizeof block);
			idle = 0;
		}
		settle();
	}
	ck_assert_uint_lt(sent, 64 * (uint64_t)BULK_BYTES);
	ck_assert_int_eq(shutdown(peer, SHUT_WR), 0);
	deadline = harness_bound();
	while (received < sent) {
		ssize_t length = recv(peer, block, sizeof block, 0);

		if (length < 0) {
			harness_turn(deadline, "all is echoed", __FILE__, __LINE__);
			continue;
		}
		ck_assert_int_gt(length, 0);
		ck_assert(pattern_holds(received, block, (size_t)length));
		received += (uint64_t)length;
	}
	RUN_UNTIL(end_of(peer) == 0);
	done();
}
END_TEST

START_TEST(chargen_lets_the_loop_go_on)
{
	static char block[65536];
	uint64_t received = 0;
	uint64_t deadline;

	serve_tcp("chargen");
	deadline = harness_bound();
	while (received < BULK_BYTES) {
		ssize_t length = recv(peer, block, sizeof block, 0);

		if (length < 0) {
			harness_turn(deadline, "4 MiB of chargen", __FILE__, __LINE__);
			continue;
		}
		ck_assert_int_gt(length, 0);
		received += (uint64_t)length;
	}
	close_with_reset(peer);
	peer = -1;
	RUN_UNTIL(adopt_reactor_connection_count(loop) == 0);
	done();
}
END_TEST

START_TEST(discard_takes_bulk_until_the_end)
{
	static char block[65536];
	uint64_t sent = 0;
	uint64_t deadline;

	serve_tcp("discard");
	deadline = harness_bound();
	while (sent < BULK_BYTES) {
		ssize_t length = send(peer, block, sizeof block, 0);

		if (length < 0)
			harness_turn(deadline, "4 MiB discarded", __FILE__, __LINE__);
		else
			sent += (uint64_t)length;
	}
	ck_assert_int_eq(shutdown(peer, SHUT_WR), 0);
	RUN_UNTIL(readable(peer));
	ck_assert_int_eq(end_of(peer), 0);
	done();
}
END_TEST

START_TEST(said_to_a_client_that_talks)
{
	char text[128];
	ssize_t length;

	/* The service closes with the client's bytes unread: no reset may cost the
	   client what was said. */
	serve_tcp("daytime");
	send_text(peer, "what time is it?");
	RUN_UNTIL(readable(peer));
	send_text(peer, "and now?");
	settle();
	length = recv(peer, text, sizeof text, 0);
	ck_assert_int_gt(length, 30);
	ck_assert(memcmp(text + length - 6, "-UTC\r\n", 6) == 0);
	ck_assert_int_eq(end_of(peer), 0);
	done();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handlers_sockets");
	TCase *tests = harness_case("services");

	tcase_add_test(tests, echo_keeps_records);
	tcase_add_test(tests, chargen_sends_a_line_a_record);
	tcase_add_test(tests, time_is_one_record_then_the_end);
	tcase_add_test(tests, echo_bulk_to_a_peer_that_reads_late);
	tcase_add_test(tests, chargen_lets_the_loop_go_on);
	tcase_add_test(tests, discard_takes_bulk_until_the_end);
	tcase_add_test(tests, said_to_a_client_that_talks);
	suite_add_tcase(suite, tests);
	return harness_main(suite);
}
