#include "recognise.h"

#define MIN_DATAGRAM_BYTES 1200 /* RFC 9000, section 14.1 */
#define MAX_CONNECTION_ID 20    /* of versions 1 and 2 */
#define MIN_CLIENT_DCID 8       /* RFC 9000, section 7.2 */
#define MIN_PROTECTED_BYTES 20  /* RFC 9001, section 5.4.2: a sample of 16 after 4 */
#define LONG_HEADER_AND_FIXED 0xc0

#define VERSION_1 UINT32_C(0x00000001)
#define VERSION_2 UINT32_C(0x6b3343cf) /* RFC 9369 */

struct cursor {
	const uint8_t *at;
	size_t left;
};

static bool take(struct cursor *cursor, size_t length, const uint8_t **ret)
{
	if (length > cursor->left)
		return false;
	*ret = cursor->at;
	cursor->at += length;
	cursor->left -= length;
	return true;
}

static bool take_connection_id(struct cursor *cursor, uint8_t *ret_length)
{
	const uint8_t *bytes;

	if (!take(cursor, 1, &bytes))
		return false;
	*ret_length = *bytes;
	return take(cursor, *ret_length, &bytes);
}

/* RFC 9000, section 16. */
static bool take_varint(struct cursor *cursor, uint64_t *ret)
{
	const uint8_t *bytes;
	uint64_t value;
	size_t more;

	if (!take(cursor, 1, &bytes))
		return false;
	value = *bytes & 0x3f;
	more = ((size_t)1 << (*bytes >> 6)) - 1;
	if (!take(cursor, more, &bytes))
		return false;
	for (size_t i = 0; i < more; i++)
		value = value << 8 | bytes[i];
	*ret = value;
	return true;
}

/* What follows the connection ids in an Initial of version 1 or 2: RFC 9000,
 * section 17.2.2. */
static bool initial_follows(struct cursor *cursor)
{
	const uint8_t *token;
	uint64_t length;

	if (!take_varint(cursor, &length) || length > cursor->left ||
	    !take(cursor, (size_t)length, &token))
		return false;
	return take_varint(cursor, &length) && length >= MIN_PROTECTED_BYTES &&
	       length <= cursor->left;
}

/*
 * Of a version that is not known, only the long header and the lengths of the
 * connection ids are sure (RFC 8999); it is a match too, so that a server behind
 * can negotiate the version (RFC 9000, section 6), if it is as large as the
 * server requires. The fixed bit is demanded of all: it is what tells QUIC from
 * others on the same port (RFC 9443), and a client cannot know yet that it may
 * be left out (RFC 9287). Version 0 is a server's answer.
 */
static bool quic_datagram(const uint8_t *data, size_t length)
{
	struct cursor cursor = {data, length};
	uint8_t dcid_length, scid_length, type;
	const uint8_t *head;
	uint32_t version;

	if (length < MIN_DATAGRAM_BYTES || !take(&cursor, 5, &head) ||
	    (head[0] & LONG_HEADER_AND_FIXED) != LONG_HEADER_AND_FIXED)
		return false;
	version = (uint32_t)head[1] << 24 | (uint32_t)head[2] << 16 | (uint32_t)head[3] << 8 |
		  head[4];
	if (version == 0 || !take_connection_id(&cursor, &dcid_length) ||
	    !take_connection_id(&cursor, &scid_length))
		return false;
	if (version != VERSION_1 && version != VERSION_2)
		return true;
	type = (head[0] >> 4) & 3;
	return type == (version == VERSION_1 ? 0 : 1) && dcid_length >= MIN_CLIENT_DCID &&
	       dcid_length <= MAX_CONNECTION_ID && scid_length <= MAX_CONNECTION_ID &&
	       initial_follows(&cursor);
}

const struct recogniser recogniser_quic = {
	.name = "quic",
	.datagram = quic_datagram,
};
