/* What a process tells of the descriptors that it hands over: writing and reading. */
#include "support/fd_message.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fd_message message;
static struct fd_message_header header;
static char long_text[70000];

static const struct fd_message_record records[] = {
	{.name = "web", .source = "systemd", .number = 3},
	{.name = "a=b", .source = "--fd", .number = INT_MAX},
	{.name = "inetd", .source = "inetd", .number = 0},
	{.name = "[::1]:80", .source = "listen", .number = -1, .opened = true},
	{.name = "", .source = "", .number = -1, .opened = true},
};

#define RECORDS (sizeof records / sizeof records[0])

static void begin(void)
{
	fd_message_begin(&message, FD_MESSAGE_DESCRIPTORS);
}

static void assert_header(unsigned kind, size_t body_bytes, size_t fd_count)
{
	ck_assert_int_eq(fd_message_read_header(message.bytes, &header), 0);
	ck_assert_uint_eq(header.kind, kind);
	ck_assert_uint_eq(header.body_bytes, body_bytes);
	ck_assert_uint_eq(header.fd_count, fd_count);
	ck_assert_uint_eq(message.length, FD_MESSAGE_HEADER_BYTES + body_bytes);
}

START_TEST(records_are_read_as_they_were_written)
{
	const unsigned char *at = message.bytes + FD_MESSAGE_HEADER_BYTES;
	struct fd_message_record record;
	size_t left;

	begin();
	for (size_t i = 0; i < RECORDS; i++)
		ck_assert_int_eq(fd_message_add(&message, 10 + (int)i, &records[i]), 0);
	left = message.length - FD_MESSAGE_HEADER_BYTES;
	assert_header(FD_MESSAGE_DESCRIPTORS, left, RECORDS);
	for (size_t i = 0; i < RECORDS; i++) {
		ck_assert_int_eq(fd_message_read_record(&at, &left, &record), 0);
		ck_assert_str_eq(record.name, records[i].name);
		ck_assert_str_eq(record.source, records[i].source);
		ck_assert_int_eq(record.number, records[i].number);
		ck_assert_int_eq(record.opened, records[i].opened);
		ck_assert_int_eq(message.fds[i], 10 + (int)i);
	}
	ck_assert_uint_eq(left, 0);
	ck_assert_int_eq(fd_message_read_record(&at, &left, &record), -EBADMSG);
}
END_TEST

/* The bytes are what an adoptd of another version reads: they never change. */
START_TEST(the_format_is_fixed)
{
	static const unsigned char list[] = "adFD\0\1\0\1\0\0\0\20\0\0\0\1"
					    "\0\16\0\0\0\0\3web\0--fd";
	static const unsigned char end[] = "adFD\0\1\0\2\0\0\0\11\0\0\0\0"
					   "\1\0\0\0\0\0\0\22\147";
	const struct fd_message_record record = {.name = "web", .source = "--fd", .number = 3};
	const struct fd_message_sender sender = {.pid = 4711, .stderr_taken = true};

	begin();
	ck_assert_int_eq(fd_message_add(&message, 3, &record), 0);
	ck_assert_uint_eq(message.length, sizeof list);
	ck_assert_mem_eq(message.bytes, list, sizeof list);
	fd_message_begin(&message, FD_MESSAGE_END);
	fd_message_set_sender(&message, &sender);
	ck_assert_uint_eq(message.length, sizeof end - 1);
	ck_assert_mem_eq(message.bytes, end, sizeof end - 1);
}
END_TEST

START_TEST(a_message_is_full_of_descriptors)
{
	begin();
	for (int i = 0; i < FD_MESSAGE_FDS_MAX; i++)
		ck_assert_int_eq(fd_message_add(&message, i, &records[0]), 0);
	ck_assert_int_eq(fd_message_add(&message, 1000, &records[0]), -ENOBUFS);
	assert_header(FD_MESSAGE_DESCRIPTORS, message.length - FD_MESSAGE_HEADER_BYTES,
		      FD_MESSAGE_FDS_MAX);
}
END_TEST

START_TEST(a_message_is_full_of_text)
{
	struct fd_message_record record = {.name = long_text, .source = "--fd", .number = 3};
	size_t before;

	memset(long_text, 'x', 40000);
	begin();
	ck_assert_int_eq(fd_message_add(&message, 3, &record), 0);
	before = message.length;
	ck_assert_int_eq(fd_message_add(&message, 4, &record), -ENOBUFS);
	ck_assert_uint_eq(message.length, before);
	ck_assert_uint_eq(message.fd_count, 1);
}
END_TEST

/* The longest that fits, alone, and one byte more. */
START_TEST(a_text_may_be_too_long)
{
	struct fd_message_record record = {.name = long_text, .source = "", .number = 3};

	memset(long_text, 'x', FD_MESSAGE_BODY_MAX - 2 - 5 - 2);
	begin();
	ck_assert_int_eq(fd_message_add(&message, 3, &record), 0);
	strcat(long_text, "x");
	begin();
	ck_assert_int_eq(fd_message_add(&message, 3, &record), -ENAMETOOLONG);
	assert_header(FD_MESSAGE_DESCRIPTORS, 0, 0);
}
END_TEST

static const struct {
	size_t at;
	unsigned char byte;
	int result;
} headers[] = {
	{0, 'A', -EBADMSG},       /* not ours */
	{4, 1, -EPROTONOSUPPORT}, /* version 257 */
	{5, 0, -EPROTONOSUPPORT}, /* version 0 */
	{5, 2, -EPROTONOSUPPORT}, /* version 2 */
	{7, 77, 0},               /* a kind that is not known */
	{8, 1, -EBADMSG},         /* 16 MiB of body */
	{9, 1, 0},                /* 64 KiB: the most */
	{9, 2, -EBADMSG},         /* 128 KiB */
	{12, 0x80, -EBADMSG},     /* two milliards of descriptors */
	{15, FD_MESSAGE_FDS_MAX, 0} /* the most */,
	{15, FD_MESSAGE_FDS_MAX + 1, -EBADMSG},
};

START_TEST(headers_are_judged)
{
	begin();
	message.bytes[headers[_i].at] = headers[_i].byte;
	ck_assert_int_eq(fd_message_read_header(message.bytes, &header), headers[_i].result);
}
END_TEST

static const struct {
	const char *bytes;
	size_t length;
	int result;
} bodies[] = {
	{"\0\13\0\0\0\0\3web\0\0", 12, -EBADMSG},          /* shorter than it says */
	{"\0\13\0\0\0\0\3web\0s\0", 13, 0},                /* all there */
	{"\0\15\0\0\0\0\3web\0s\0??", 15, 0},              /* more than this version knows */
	{"\0\12\0\0\0\0\3web\0s", 12, -EBADMSG},           /* the source has no end */
	{"\0\11\0\0\0\0\3web\0", 11, -EBADMSG},            /* no source */
	{"\0\10\0\0\0\0\3web", 10, -EBADMSG},              /* the name has no end */
	{"\0\4\0\0\0\0", 6, -EBADMSG},                     /* no room for the number */
	{"\0", 1, -EBADMSG},                               /* half a length */
	{"\0\11\0\0\0\0\3\0s\0", 10, -EBADMSG},            /* no name */
	{"\0\10\1\0\0\0\3\0s\0", 10, 0},                   /* which is well for what was opened */
	{"\0\13\0\377\377\377\377web\0s\0", 13, -EBADMSG}, /* no number */
	{"\0\13\1\377\377\377\377web\0s\0", 13, 0},
	{"\0\13\1\200\0\0\0web\0s\0", 13, -EBADMSG}, /* a negative number */
};

START_TEST(records_are_judged)
{
	const unsigned char *begun = (const unsigned char *)bodies[_i].bytes, *at = begun;
	struct fd_message_record record;
	size_t left = bodies[_i].length;

	ck_assert_int_eq(fd_message_read_record(&at, &left, &record), bodies[_i].result);
	ck_assert_uint_eq(left, bodies[_i].result == 0 ? 0 : bodies[_i].length);
	ck_assert_ptr_eq(at, begun + bodies[_i].length - left);
}
END_TEST

START_TEST(senders_are_read_as_they_were_written)
{
	const struct fd_message_sender sender = {.pid = 0x123456789, .stderr_taken = _i};
	struct fd_message_sender again;

	fd_message_begin(&message, FD_MESSAGE_READY);
	fd_message_set_sender(&message, &sender);
	assert_header(FD_MESSAGE_READY, 9, 0);
	ck_assert_int_eq(fd_message_read_sender(message.bytes + FD_MESSAGE_HEADER_BYTES, 9, &again),
			 0);
	ck_assert_int_eq(again.pid, sender.pid);
	ck_assert_int_eq(again.stderr_taken, _i);
	ck_assert_int_eq(fd_message_read_sender(message.bytes + FD_MESSAGE_HEADER_BYTES, 8, &again),
			 -EBADMSG);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fd_message");
	TCase *tcase = tcase_create("fd_message");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, records_are_read_as_they_were_written);
	tcase_add_test(tcase, the_format_is_fixed);
	tcase_add_test(tcase, a_message_is_full_of_descriptors);
	tcase_add_test(tcase, a_message_is_full_of_text);
	tcase_add_test(tcase, a_text_may_be_too_long);
	tcase_add_loop_test(tcase, headers_are_judged, 0, sizeof headers / sizeof headers[0]);
	tcase_add_loop_test(tcase, records_are_judged, 0, sizeof bodies / sizeof bodies[0]);
	tcase_add_loop_test(tcase, senders_are_read_as_they_were_written, 0, 2);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
