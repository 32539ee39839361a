/* What comes with descriptors: any bytes are judged without reading past their end, and
 * what is read is written so that reading it again gives the same. */
#include "fuzz_verdict.h"
#include "support/fd_message.h"

#include <stdlib.h>
#include <string.h>

static struct fd_message message;

static void require_same(const struct fd_message_record *a, const struct fd_message_record *b)
{
	FUZZ_REQUIRE(strcmp(a->name, b->name) == 0);
	FUZZ_REQUIRE(strcmp(a->source, b->source) == 0);
	FUZZ_REQUIRE(a->number == b->number);
	FUZZ_REQUIRE(a->opened == b->opened);
}

static void check_record(const struct fd_message_record *record)
{
	const unsigned char *at = message.bytes + FD_MESSAGE_HEADER_BYTES;
	struct fd_message_record again;
	size_t left;

	FUZZ_REQUIRE(record->opened || (*record->name && record->number >= 0));
	fd_message_begin(&message, FD_MESSAGE_DESCRIPTORS);
	FUZZ_REQUIRE(fd_message_add(&message, 3, record) == 0);
	left = message.length - FD_MESSAGE_HEADER_BYTES;
	FUZZ_REQUIRE(fd_message_read_record(&at, &left, &again) == 0);
	FUZZ_REQUIRE(left == 0);
	require_same(record, &again);
}

static void check_body(const unsigned char *body, size_t length)
{
	const unsigned char *at = body;
	struct fd_message_sender sender, again;
	struct fd_message_record record;
	size_t left = length;

	while (fd_message_read_record(&at, &left, &record) == 0) {
		FUZZ_REQUIRE(at == body + length - left);
		check_record(&record);
	}
	if (fd_message_read_sender(body, length, &sender) < 0)
		return;
	fd_message_begin(&message, FD_MESSAGE_END);
	fd_message_set_sender(&message, &sender);
	FUZZ_REQUIRE(fd_message_read_sender(message.bytes + FD_MESSAGE_HEADER_BYTES,
					    message.length - FD_MESSAGE_HEADER_BYTES, &again) == 0);
	FUZZ_REQUIRE(sender.pid == again.pid && sender.stderr_taken == again.stderr_taken);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct fd_message_header header;
	unsigned char *body;

	if (length < FD_MESSAGE_HEADER_BYTES)
		return 0;
	if (fd_message_read_header(data, &header) == 0) {
		FUZZ_REQUIRE(header.body_bytes <= FD_MESSAGE_BODY_MAX);
		FUZZ_REQUIRE(header.fd_count <= FD_MESSAGE_FDS_MAX);
	}
	/* Of just its size, so that reading past its end is seen. */
	length -= FD_MESSAGE_HEADER_BYTES;
	body = malloc(length);
	FUZZ_REQUIRE(body || length == 0);
	if (length > 0) {
		memcpy(body, data + FD_MESSAGE_HEADER_BYTES, length);
		check_body(body, length);
	}
	free(body);
	return 0;
}
