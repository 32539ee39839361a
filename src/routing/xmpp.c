#include "recognise.h"

#include <string.h>

#define MAX_BYTES 4096

/* What has been read of the bytes that are there. The steps below return MATCH
 * when they are past their part. */
struct reader {
	const uint8_t *data;
	size_t length;
	size_t at;
};

static bool is_space(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static bool is_name(uint8_t byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '.' ||
	       byte == ':';
}

/* The XML declaration, which may be left out. */
static enum verdict read_declaration(struct reader *reader)
{
	static const char begin[] = "<?xml";
	size_t unused;
	enum verdict verdict;

	if (reader->length >= 2 && reader->data[0] == '<' && reader->data[1] != '?')
		return VERDICT_MATCH;
	verdict = recognise_literal(reader->data, reader->length, begin, sizeof begin - 1, &unused);
	if (verdict != VERDICT_MATCH)
		return verdict;
	for (reader->at = sizeof begin - 1; reader->at < reader->length; reader->at++) {
		uint8_t byte = reader->data[reader->at];

		if (byte == '<' || (byte < ' ' && !is_space(byte)))
			return VERDICT_NO;
		if (byte == '>') {
			reader->at++;
			return VERDICT_MATCH;
		}
	}
	return VERDICT_MORE;
}

/* `<stream ` or `<PREFIX:stream `. */
static enum verdict read_name(struct reader *reader)
{
	static const char name[] = "stream";
	const size_t name_length = sizeof name - 1;
	size_t begin, length;

	while (reader->at < reader->length && is_space(reader->data[reader->at]))
		reader->at++;
	if (reader->at == reader->length)
		return VERDICT_MORE;
	if (reader->data[reader->at] != '<')
		return VERDICT_NO;
	begin = ++reader->at;
	while (reader->at < reader->length && is_name(reader->data[reader->at]))
		reader->at++;
	if (reader->at == reader->length)
		return VERDICT_MORE;
	length = reader->at - begin;
	if (!is_space(reader->data[reader->at]) || length < name_length ||
	    memcmp(reader->data + reader->at - name_length, name, name_length) != 0)
		return VERDICT_NO;
	return length == name_length || reader->data[reader->at - name_length - 1] == ':'
		       ? VERDICT_MATCH
		       : VERDICT_NO;
}

/* RFC 6120, section 4.8.1: no stream is without this namespace. */
static enum verdict read_attributes(struct reader *reader)
{
	static const char streams[] = "http://etherx.jabber.org/streams";
	uint8_t quote = 0;
	size_t value = 0;

	for (; reader->at < reader->length; reader->at++) {
		uint8_t byte = reader->data[reader->at];

		if (byte == '<' || (byte == '>' && !quote) || (byte < ' ' && !is_space(byte)))
			return VERDICT_NO;
		if (!quote && (byte == '\'' || byte == '"')) {
			quote = byte;
			value = reader->at + 1;
		} else if (quote && byte == quote) {
			if (reader->at - value == sizeof streams - 1 &&
			    memcmp(reader->data + value, streams, sizeof streams - 1) == 0)
				return VERDICT_MATCH;
			quote = 0;
		}
	}
	return VERDICT_MORE;
}

/* Asks for 4 KiB at the most. */
static enum verdict xmpp_stream(const uint8_t *data, size_t length, size_t *ret_needed)
{
	struct reader reader = {.data = data, .length = length < MAX_BYTES ? length : MAX_BYTES};
	enum verdict verdict = read_declaration(&reader);

	if (verdict == VERDICT_MATCH)
		verdict = read_name(&reader);
	if (verdict == VERDICT_MATCH)
		verdict = read_attributes(&reader);
	if (verdict != VERDICT_MORE)
		return verdict;
	if (length >= MAX_BYTES)
		return VERDICT_NO;
	*ret_needed = length + 1;
	return VERDICT_MORE;
}

const struct recogniser recogniser_xmpp = {
	.name = "xmpp",
	.stream = xmpp_stream,
};
