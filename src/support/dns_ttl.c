#include "dns_ttl.h"

#include <errno.h>
#include <stdbool.h>

#define HEADER_BYTES 12
#define QUESTION_BYTES 4 /* type and class, after the name */
#define RECORD_BYTES 10  /* type, class, TTL, and the length of the data that follow */

struct message {
	const unsigned char *data;
	size_t length;
	size_t at;
};

static unsigned get16(const unsigned char *data)
{
	return (unsigned)data[0] << 8 | data[1];
}

static bool skip(struct message *message, size_t length)
{
	if (message->length - message->at < length)
		return false;
	message->at += length;
	return true;
}

/* Labels, up to the empty one or to a pointer, which is not followed. */
static bool skip_name(struct message *message)
{
	while (message->at < message->length) {
		unsigned char size = message->data[message->at];

		if ((size & 0xc0) == 0xc0)
			return skip(message, 2);
		if ((size & 0xc0) != 0 || !skip(message, (size_t)size + 1))
			return false;
		if (size == 0)
			return true;
	}
	return false;
}

static bool read_record(struct message *message, uint32_t *ret_ttl)
{
	const unsigned char *fields;

	if (!skip_name(message))
		return false;
	fields = message->data + message->at;
	if (!skip(message, RECORD_BYTES) || !skip(message, get16(fields + 8)))
		return false;
	*ret_ttl = (uint32_t)get16(fields + 4) << 16 | get16(fields + 6);
	if (*ret_ttl > INT32_MAX)
		*ret_ttl = 0;
	return true;
}

int dns_ttl(const unsigned char *data, size_t length, uint32_t *ret)
{
	struct message message = {data, length, HEADER_BYTES};
	uint32_t shortest = UINT32_MAX;
	unsigned questions, answers;

	if (length < HEADER_BYTES)
		return -EBADMSG;
	questions = get16(data + 4);
	answers = get16(data + 6);
	for (unsigned i = 0; i < questions; i++)
		if (!skip_name(&message) || !skip(&message, QUESTION_BYTES))
			return -EBADMSG;
	for (unsigned i = 0; i < answers; i++) {
		uint32_t ttl;

		if (!read_record(&message, &ttl))
			return -EBADMSG;
		if (ttl < shortest)
			shortest = ttl;
	}
	if (answers == 0)
		return -EBADMSG;
	*ret = shortest;
	return 0;
}
