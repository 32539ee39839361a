#include "tls.h"

#include <string.h>

#define RECORD_HEADER_BYTES 5
#define RECORD_MAX_BYTES 16384
#define RECORD_HANDSHAKE 22

#define HELLO_TYPE 1
#define HELLO_HEADER_BYTES 4
#define HELLO_HEAD_BYTES 6 /* type, length, version: no other protocol looks like that */
#define HELLO_MIN_BYTES 45
#define RANDOM_BYTES 32

#define EXTENSION_SERVER_NAME 0
#define EXTENSION_ALPN 16
#define NAME_TYPE_HOST 0

/* A hello's bytes as far as they are there, and how far they have been read. */
struct reader {
	const uint8_t *bytes;
	size_t there;
	size_t at;
	size_t end;    /* of what may be read: the hello's, or a part's */
	size_t wanted; /* with VERDICT_MORE: how many bytes of the hello there must be */
};

/* What the records hold. */
struct records {
	size_t there;       /* bytes of the handshake */
	size_t record_left; /* how many more of them the last record brings */
	bool broken;        /* then comes what is no record of a handshake */
};

static size_t number(const uint8_t *bytes, size_t width)
{
	size_t value = 0;

	for (size_t i = 0; i < width; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* Whether a byte can stand at its place of a record's header. The minor version
 * is not to be looked at, and no record of a handshake is empty: RFC 8446, 5.1. */
static bool record_fits(const uint8_t *header, size_t place)
{
	switch (place) {
	case 0:
		return header[0] == RECORD_HANDSHAKE;
	case 1:
		return header[1] == 3;
	case 3:
		return header[3] <= RECORD_MAX_BYTES >> 8;
	case 4:
		return number(header + 3, 2) > 0 && number(header + 3, 2) <= RECORD_MAX_BYTES;
	default:
		return true;
	}
}

/* Puts together up to `max` bytes of a handshake from its records. */
static struct records unwrap(const uint8_t *data, size_t length, uint8_t *bytes, size_t max)
{
	struct records records = {0};

	while (records.there < max && length > 0) {
		size_t part, size;

		for (size_t i = 0; i < RECORD_HEADER_BYTES && i < length; i++)
			if (!record_fits(data, i)) {
				records.broken = true;
				return records;
			}
		if (length < RECORD_HEADER_BYTES)
			return records;
		size = number(data + 3, 2);
		data += RECORD_HEADER_BYTES;
		length -= RECORD_HEADER_BYTES;
		part = size < length ? size : length;
		records.record_left = size - part;
		if (part > max - records.there)
			part = max - records.there;
		memcpy(bytes + records.there, data, part);
		records.there += part;
		data += part;
		length -= part;
	}
	return records;
}

/* Whether a byte can stand at its place of a hello's head. A version above 1.3's
 * 0x0303 is a later client's, which a server answers with its own. */
static bool head_fits(const uint8_t *head, size_t place)
{
	switch (place) {
	case 0:
		return head[0] == HELLO_TYPE;
	case 1:
		return head[1] == 0;
	case 2:
		return head[2] <= CLIENT_HELLO_MAX_BYTES >> 8;
	case 3:
		return HELLO_HEADER_BYTES + number(head + 1, 3) >= HELLO_MIN_BYTES &&
		       HELLO_HEADER_BYTES + number(head + 1, 3) <= CLIENT_HELLO_MAX_BYTES;
	case 4:
		return head[4] == 3;
	default:
		return head[5] >= 1;
	}
}

static enum verdict read_head(struct reader *reader)
{
	for (reader->at = 0; reader->at < HELLO_HEAD_BYTES; reader->at++) {
		if (reader->at == reader->there) {
			reader->wanted = reader->there + 1;
			return VERDICT_MORE;
		}
		if (!head_fits(reader->bytes, reader->at))
			return VERDICT_NO;
	}
	reader->end = HELLO_HEADER_BYTES + number(reader->bytes + 1, 3);
	return VERDICT_MATCH;
}

static enum verdict expect(struct reader *reader, size_t length)
{
	if (length > reader->end - reader->at)
		return VERDICT_NO;
	if (reader->at + length <= reader->there)
		return VERDICT_MATCH;
	reader->wanted = reader->at + length;
	return VERDICT_MORE;
}

/* Reads a number of up to two bytes; it is 0 unless the verdict is MATCH. */
static enum verdict read_number(struct reader *reader, size_t width, size_t *ret)
{
	enum verdict verdict = expect(reader, width);

	*ret = 0;
	if (verdict == VERDICT_MATCH) {
		*ret = number(reader->bytes + reader->at, width);
		reader->at += width;
	}
	return verdict;
}

/* Goes past a list with its length in front, in bytes, of so many each. */
static enum verdict skip_list(struct reader *reader, size_t width, size_t min, size_t max,
			      size_t each)
{
	size_t length;
	enum verdict verdict = read_number(reader, width, &length);

	if (verdict != VERDICT_MATCH)
		return verdict;
	if (length < min || length > max || length % each != 0 || length > reader->end - reader->at)
		return VERDICT_NO;
	reader->at += length;
	return VERDICT_MATCH;
}

/* RFC 6066, section 3: in ASCII, without what no name has. */
static bool is_host_name(const uint8_t *name, size_t length)
{
	if (length == 0 || length > 255)
		return false;
	for (size_t i = 0; i < length; i++)
		if (name[i] <= ' ' || name[i] >= 0x7f)
			return false;
	return true;
}

/* Reads the list of names that a whole server_name extension is. */
static bool read_server_name(struct reader part, struct client_hello *ret)
{
	size_t list, type, length;

	if (ret->server_name || read_number(&part, 2, &list) != VERDICT_MATCH ||
	    list != part.end - part.at)
		return false;
	while (part.at < part.end) {
		if (read_number(&part, 1, &type) != VERDICT_MATCH ||
		    read_number(&part, 2, &length) != VERDICT_MATCH || length > part.end - part.at)
			return false;
		if (type == NAME_TYPE_HOST) {
			if (ret->server_name || !is_host_name(part.bytes + part.at, length))
				return false;
			ret->server_name = part.bytes + part.at;
			ret->server_name_length = length;
		}
		part.at += length;
	}
	return list > 0;
}

/* Reads the list of protocols that a whole ALPN extension is. */
static bool read_alpn(struct reader part, struct client_hello *ret)
{
	size_t list;

	if (ret->alpn || read_number(&part, 2, &list) != VERDICT_MATCH || list == 0 ||
	    list != part.end - part.at)
		return false;
	ret->alpn = part.bytes + part.at;
	ret->alpn_length = list;
	while (part.at < part.end)
		if (skip_list(&part, 1, 1, 255, 1) != VERDICT_MATCH)
			return false;
	return true;
}

static enum verdict read_extension(struct reader *reader, struct client_hello *ret)
{
	size_t type, length;
	enum verdict verdict = read_number(reader, 2, &type);
	struct reader part;

	if (verdict == VERDICT_MATCH)
		verdict = read_number(reader, 2, &length);
	if (verdict != VERDICT_MATCH)
		return verdict;
	if (length > reader->end - reader->at)
		return VERDICT_NO;
	part = *reader;
	part.end = part.at + length;
	if (type == EXTENSION_SERVER_NAME || type == EXTENSION_ALPN) {
		verdict = expect(reader, length);
		if (verdict != VERDICT_MATCH)
			return verdict;
		if (type == EXTENSION_ALPN ? !read_alpn(part, ret) : !read_server_name(part, ret))
			return VERDICT_NO;
	}
	reader->at = part.end;
	return VERDICT_MATCH;
}

/* Reads what follows the head. Extensions may be missing altogether. */
static enum verdict read_body(struct reader *reader, struct client_hello *ret)
{
	size_t length;
	enum verdict verdict;

	reader->at += RANDOM_BYTES;
	verdict = skip_list(reader, 1, 0, 32, 1); /* session id */
	if (verdict == VERDICT_MATCH)
		verdict = skip_list(reader, 2, 2, 65534, 2); /* cipher suites */
	if (verdict == VERDICT_MATCH)
		verdict = skip_list(reader, 1, 1, 255, 1); /* compression methods */
	if (verdict == VERDICT_MATCH && reader->at < reader->end) {
		verdict = read_number(reader, 2, &length);
		if (verdict == VERDICT_MATCH && length != reader->end - reader->at)
			return VERDICT_NO;
	}
	while (verdict == VERDICT_MATCH && reader->at < reader->end)
		verdict = read_extension(reader, ret);
	if (verdict != VERDICT_MATCH)
		return verdict;
	reader->at = 0;
	return expect(reader, reader->end);
}

/* Turns a wish for bytes of the hello into one for bytes of the stream: what
 * goes beyond the last record needs at least the first byte of another. */
static enum verdict ask(const struct records *records, size_t length, size_t wanted,
			size_t *ret_needed)
{
	size_t missing = wanted - records->there;
	size_t more = missing <= records->record_left ? missing : records->record_left + 1;

	if (records->broken || length + more > RECOGNISE_MAX_BYTES)
		return VERDICT_NO;
	*ret_needed = length + more;
	return VERDICT_MORE;
}

enum verdict client_hello_read(const uint8_t *data, size_t length, struct client_hello *ret,
			       size_t *ret_needed)
{
	size_t used = length < RECOGNISE_MAX_BYTES ? length : RECOGNISE_MAX_BYTES;
	struct records records = unwrap(data, used, ret->bytes, sizeof ret->bytes);
	struct reader reader = {.bytes = ret->bytes, .there = records.there};
	enum verdict verdict = read_head(&reader);

	ret->server_name = ret->alpn = NULL;
	ret->server_name_length = ret->alpn_length = 0;
	if (verdict == VERDICT_MATCH)
		verdict = read_body(&reader, ret);
	if (verdict == VERDICT_MORE)
		verdict = ask(&records, used, reader.wanted, ret_needed);
	return verdict;
}

bool client_hello_offers(const struct client_hello *hello, const char *protocol)
{
	size_t length = strlen(protocol);

	for (size_t at = 0; at < hello->alpn_length; at += 1 + (size_t)hello->alpn[at])
		if (hello->alpn[at] == length &&
		    memcmp(hello->alpn + at + 1, protocol, length) == 0)
			return true;
	return false;
}

static enum verdict tls_stream(const uint8_t *data, size_t length, size_t *ret_needed)
{
	uint8_t head[HELLO_HEAD_BYTES];
	size_t used = length < RECOGNISE_MAX_BYTES ? length : RECOGNISE_MAX_BYTES;
	struct records records = unwrap(data, used, head, sizeof head);
	struct reader reader = {.bytes = head, .there = records.there};
	enum verdict verdict = read_head(&reader);

	if (verdict == VERDICT_MORE)
		verdict = ask(&records, used, reader.wanted, ret_needed);
	return verdict;
}

const struct recogniser recogniser_tls = {
	.name = "tls",
	.stream = tls_stream,
};
