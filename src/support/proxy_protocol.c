#include "proxy_protocol.h"

#include "value.h"

#include <arpa/inet.h>
#include <string.h>

#define V2_HEAD_BYTES 16
#define V2_VERSION 0x20
#define V2_LOCAL 0
#define V2_PROXY 1

#define V2_UNSPEC 0x00
#define V2_INET 0x10
#define V2_INET6 0x20
#define V2_UNIX 0x30
#define V2_STREAM 0x01
#define V2_DGRAM 0x02

#define UNIX_NAME_BYTES 108
#define UNIX_NAME_OFFSET offsetof(struct sockaddr_un, sun_path)

#define TLV_HEAD_BYTES 3
#define TLV_CRC32C 3
#define CRC_BYTES 4

static const char v1_signature[] = "PROXY ";
static const uint8_t v2_signature[] = "\r\n\r\n\0\r\nQUIT\n";

#define V2_SIGNATURE_BYTES (sizeof v2_signature - 1)

static enum verdict more(size_t needed, size_t *ret_needed)
{
	if (needed > PROXY_PROTOCOL_MAX_BYTES)
		return VERDICT_NO;
	*ret_needed = needed;
	return VERDICT_MORE;
}

static void set_inet(struct adopt_address *ret, const void *host, uint16_t port)
{
	memset(ret, 0, sizeof *ret);
	ret->length = sizeof ret->name.in;
	ret->name.in.sin_family = AF_INET;
	ret->name.in.sin_port = htons(port);
	memcpy(&ret->name.in.sin_addr, host, sizeof ret->name.in.sin_addr);
}

static void set_inet6(struct adopt_address *ret, const void *host, uint16_t port)
{
	memset(ret, 0, sizeof *ret);
	ret->length = sizeof ret->name.in6;
	ret->name.in6.sin6_family = AF_INET6;
	ret->name.in6.sin6_port = htons(port);
	memcpy(&ret->name.in6.sin6_addr, host, sizeof ret->name.in6.sin6_addr);
}

/* ------------------------------------------------------------------------
 * Version 1
 * ------------------------------------------------------------------------ */

/* Reads the four words behind the family, which one space each divides. Ports
 * have no leading zeros. */
static bool read_v1_addresses(char *words, int family, struct proxy_protocol_header *ret)
{
	void (*set)(struct adopt_address *, const void *, uint16_t) =
		family == AF_INET ? set_inet : set_inet6;
	uint8_t hosts[2][sizeof(struct in6_addr)];
	uint64_t ports[2];
	char *word[4];

	for (size_t i = 0; i < 4; i++) {
		word[i] = words;
		words = words ? strchr(words, ' ') : NULL;
		if (words)
			*words++ = '\0';
		if (!word[i] || (i == 3 && words))
			return false;
	}
	for (size_t i = 0; i < 2; i++) {
		if (inet_pton(family, word[i], hosts[i]) != 1 ||
		    value_number(word[2 + i], 0, UINT16_MAX, &ports[i]) < 0 ||
		    (word[2 + i][0] == '0' && word[2 + i][1] != '\0'))
			return false;
	}
	ret->type = SOCK_STREAM;
	set(&ret->source, hosts[0], (uint16_t)ports[0]);
	set(&ret->destination, hosts[1], (uint16_t)ports[1]);
	return true;
}

/* Reads what stands between the signature and the line's end. */
static bool read_v1_line(char *line, struct proxy_protocol_header *ret)
{
	if (strncmp(line, "TCP4 ", 5) == 0)
		return read_v1_addresses(line + 5, AF_INET, ret);
	if (strncmp(line, "TCP6 ", 5) == 0)
		return read_v1_addresses(line + 5, AF_INET6, ret);
	ret->local = strcmp(line, "UNKNOWN") == 0 || strncmp(line, "UNKNOWN ", 8) == 0;
	return ret->local;
}

static enum verdict read_v1(const uint8_t *data, size_t length, struct proxy_protocol_header *ret,
			    size_t *ret_needed)
{
	const size_t begin = sizeof v1_signature - 1;
	struct proxy_protocol_header header = {0};
	char line[PROXY_PROTOCOL_V1_MAX_BYTES];
	size_t end = begin;

	while (end < length && end < sizeof line && data[end] >= ' ' && data[end] < 0x7f)
		end++;
	if (end + 2 > sizeof line || (end < length && data[end] != '\r') ||
	    (end + 1 < length && data[end + 1] != '\n'))
		return VERDICT_NO;
	if (end + 1 >= length)
		return more(length + 1, ret_needed);
	memcpy(line, data + begin, end - begin);
	line[end - begin] = '\0';
	if (!read_v1_line(line, &header))
		return VERDICT_NO;
	header.length = end + 2;
	*ret = header;
	return VERDICT_MATCH;
}

/* ------------------------------------------------------------------------
 * Version 2
 * ------------------------------------------------------------------------ */

/* CRC-32C (Castagnoli), RFC 3720, appendix B.4. */
static uint32_t crc32c(uint32_t crc, const uint8_t *data, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
	}
	return crc;
}

/* Verifies the checksum at a place of a header: that of the header with zeros
 * in its place. */
static bool crc_right(const uint8_t *data, size_t length, size_t place)
{
	static const uint8_t zeros[CRC_BYTES];
	uint32_t crc = crc32c(UINT32_MAX, data, place);

	crc = crc32c(crc, zeros, sizeof zeros);
	crc = ~crc32c(crc, data + place + CRC_BYTES, length - place - CRC_BYTES);
	return crc == ((uint32_t)data[place] << 24 | (uint32_t)data[place + 1] << 16 |
		       (uint32_t)data[place + 2] << 8 | data[place + 3]);
}

/* Goes through the TLVs, which begin at a place and fill the rest. */
static bool tlvs_right(const uint8_t *data, size_t length, size_t at)
{
	while (at < length) {
		size_t size;

		if (length - at < TLV_HEAD_BYTES)
			return false;
		size = (size_t)(data[at + 1] << 8 | data[at + 2]);
		if (size > length - at - TLV_HEAD_BYTES)
			return false;
		if (data[at] == TLV_CRC32C &&
		    (size != CRC_BYTES || !crc_right(data, length, at + TLV_HEAD_BYTES)))
			return false;
		at += TLV_HEAD_BYTES + size;
	}
	return true;
}

static size_t v2_address_bytes(uint8_t family)
{
	switch (family & 0xf0) {
	case V2_INET:
		return 2 * (4 + 2);
	case V2_INET6:
		return 2 * (16 + 2);
	case V2_UNIX:
		return 2 * UNIX_NAME_BYTES;
	default:
		return 0;
	}
}

/* Whether a byte can stand at its place of the fixed part, behind the signature.
 * A local header's family is not to be looked at, but its length is. */
static bool v2_head_fits(const uint8_t *data, size_t place)
{
	bool local = (data[12] & 0x0f) == V2_LOCAL;
	uint8_t family = place > 12 ? data[13] : 0;

	switch (place) {
	case 12:
		return (data[12] & 0xf0) == V2_VERSION && (data[12] & 0x0f) <= V2_PROXY;
	case 13:
		return local || family == V2_UNSPEC ||
		       (v2_address_bytes(family) > 0 &&
			((family & 0x0f) == V2_STREAM || (family & 0x0f) == V2_DGRAM));
	case 15:
		return local || (size_t)(data[14] << 8 | data[15]) >= v2_address_bytes(family);
	default:
		return true;
	}
}

/* A UNIX name fills its 108 bytes with NULs; an abstract one begins with NUL. */
static bool set_unix(struct adopt_address *ret, const uint8_t *name)
{
	size_t length = UNIX_NAME_BYTES;

	memset(ret, 0, sizeof *ret);
	ret->name.un.sun_family = AF_UNIX;
	if (name[0] != '\0')
		length = strnlen((const char *)name, UNIX_NAME_BYTES);
	else
		while (length > 0 && name[length - 1] == '\0')
			length--;
	if (length > sizeof ret->name.un.sun_path)
		return false;
	memcpy(ret->name.un.sun_path, name, length);
	if (name[0] != '\0' && length < sizeof ret->name.un.sun_path)
		length++;
	ret->length = (socklen_t)(UNIX_NAME_OFFSET + length);
	return true;
}

static uint16_t get_port(const uint8_t *data)
{
	return (uint16_t)(data[0] << 8 | data[1]);
}

static bool read_v2_addresses(const uint8_t *data, uint8_t family,
			      struct proxy_protocol_header *ret)
{
	ret->type = (family & 0x0f) == V2_STREAM ? SOCK_STREAM : SOCK_DGRAM;
	switch (family & 0xf0) {
	case V2_INET:
		set_inet(&ret->source, data, get_port(data + 8));
		set_inet(&ret->destination, data + 4, get_port(data + 10));
		return true;
	case V2_INET6:
		set_inet6(&ret->source, data, get_port(data + 32));
		set_inet6(&ret->destination, data + 16, get_port(data + 34));
		return true;
	default:
		return set_unix(&ret->source, data) &&
		       set_unix(&ret->destination, data + UNIX_NAME_BYTES);
	}
}

static enum verdict read_v2(const uint8_t *data, size_t length, struct proxy_protocol_header *ret,
			    size_t *ret_needed)
{
	struct proxy_protocol_header header = {.length = V2_HEAD_BYTES};

	for (size_t i = V2_SIGNATURE_BYTES; i < V2_HEAD_BYTES; i++) {
		if (i >= length)
			return more(length + 1, ret_needed);
		if (!v2_head_fits(data, i))
			return VERDICT_NO;
	}
	header.length += (size_t)(data[14] << 8 | data[15]);
	if (length < header.length)
		return more(header.length, ret_needed);
	/* What follows the fixed part of a LOCAL command is discarded unread, as the
	 * specification demands: it need not be anything. */
	header.local = (data[12] & 0x0f) == V2_LOCAL || data[13] == V2_UNSPEC;
	if ((data[12] & 0x0f) == V2_PROXY &&
	    !tlvs_right(data, header.length, V2_HEAD_BYTES + v2_address_bytes(data[13])))
		return VERDICT_NO;
	if (!header.local && !read_v2_addresses(data + V2_HEAD_BYTES, data[13], &header))
		return VERDICT_NO;
	*ret = header;
	return VERDICT_MATCH;
}

enum verdict proxy_protocol_read(const uint8_t *data, size_t length,
				 struct proxy_protocol_header *ret, size_t *ret_needed)
{
	bool v1 = length == 0 || data[0] == v1_signature[0];
	const void *signature = v1 ? (const void *)v1_signature : v2_signature;
	size_t size = v1 ? sizeof v1_signature - 1 : V2_SIGNATURE_BYTES;

	if (length > 0 && memcmp(data, signature, length < size ? length : size) != 0)
		return VERDICT_NO;
	if (length < size)
		return more(length + 1, ret_needed);
	return v1 ? read_v1(data, length, ret, ret_needed) : read_v2(data, length, ret, ret_needed);
}
