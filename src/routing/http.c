#include "http.h"

#include <string.h>

#define METHOD_MAX_BYTES 32 /* the longest that is registered has 17 */

struct span {
	const uint8_t *data;
	size_t length;
};

/* The bytes that are there, and how far they have been read. The steps below
 * return MATCH when they are past their part, MORE when the bytes end in it. */
struct reader {
	const uint8_t *data;
	size_t length;
	size_t at;
};

struct request {
	struct span method;
	struct span target;
	bool has_host_field;
	struct span host_field;
	bool http_1_0;
};

static bool is_alphanumeric(uint8_t byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
	       (byte >= 'A' && byte <= 'Z');
}

static bool is_one_of(uint8_t byte, const char *characters)
{
	return byte != '\0' && strchr(characters, byte);
}

/* RFC 9110, section 5.6.2. */
static bool is_token(uint8_t byte)
{
	return is_alphanumeric(byte) || is_one_of(byte, "!#$%&'*+-.^_`|~");
}

/* Bytes above ASCII do not belong into a target, but clients send them, servers
 * take them, and they change nothing about the host. */
static bool is_target(uint8_t byte)
{
	return byte > ' ' && byte != 0x7f;
}

static bool is_value(uint8_t byte)
{
	return byte == '\t' || (byte >= ' ' && byte != 0x7f);
}

static enum verdict read_while(struct reader *reader, bool (*fits)(uint8_t byte), struct span *ret)
{
	size_t begin = reader->at;

	while (reader->at < reader->length && fits(reader->data[reader->at]))
		reader->at++;
	ret->data = reader->data + begin;
	ret->length = reader->at - begin;
	return reader->at < reader->length ? VERDICT_MATCH : VERDICT_MORE;
}

static enum verdict read_literal(struct reader *reader, const char *literal)
{
	size_t unused, length = strlen(literal);
	enum verdict verdict = recognise_literal(
		reader->data + reader->at, reader->length - reader->at, literal, length, &unused);

	if (verdict == VERDICT_MATCH)
		reader->at += length;
	return verdict;
}

/* RFC 9112, section 3; an empty line may come before it (section 2.2). */
static enum verdict read_request_line(struct reader *reader, struct request *ret)
{
	enum verdict verdict = VERDICT_MATCH;

	if (reader->length > 0 && reader->data[0] == '\r')
		verdict = read_literal(reader, "\r\n");
	if (verdict != VERDICT_MATCH)
		return verdict;
	verdict = read_while(reader, is_token, &ret->method);
	if (ret->method.length > METHOD_MAX_BYTES)
		return VERDICT_NO;
	if (verdict != VERDICT_MATCH)
		return verdict;
	if (ret->method.length == 0 || reader->data[reader->at++] != ' ')
		return VERDICT_NO;
	verdict = read_while(reader, is_target, &ret->target);
	if (verdict != VERDICT_MATCH)
		return verdict;
	if (ret->target.length == 0 || reader->data[reader->at++] != ' ')
		return VERDICT_NO;
	verdict = read_literal(reader, "HTTP/1.1\r\n");
	if (verdict == VERDICT_NO) {
		verdict = read_literal(reader, "HTTP/1.0\r\n");
		ret->http_1_0 = verdict == VERDICT_MATCH;
	}
	return verdict;
}

static bool is_host_name(const struct span *name)
{
	return name->length == 4 && (name->data[0] | 0x20) == 'h' &&
	       (name->data[1] | 0x20) == 'o' && (name->data[2] | 0x20) == 's' &&
	       (name->data[3] | 0x20) == 't';
}

static struct span trim(struct span span)
{
	while (span.length > 0 && is_one_of(span.data[0], " \t")) {
		span.data++;
		span.length--;
	}
	while (span.length > 0 && is_one_of(span.data[span.length - 1], " \t"))
		span.length--;
	return span;
}

/* RFC 9112, section 5: no space in or before the name, no folded line. */
static enum verdict read_field(struct reader *reader, struct request *ret)
{
	struct span name, value;
	enum verdict verdict = read_while(reader, is_token, &name);

	if (verdict != VERDICT_MATCH)
		return verdict;
	if (name.length == 0 || reader->data[reader->at++] != ':')
		return VERDICT_NO;
	verdict = read_while(reader, is_value, &value);
	if (verdict == VERDICT_MATCH)
		verdict = read_literal(reader, "\r\n");
	if (verdict != VERDICT_MATCH || !is_host_name(&name))
		return verdict;
	if (ret->has_host_field)
		return VERDICT_NO;
	ret->has_host_field = true;
	ret->host_field = trim(value);
	return VERDICT_MATCH;
}

static enum verdict read_head(struct reader *reader, struct request *ret)
{
	enum verdict verdict = read_request_line(reader, ret);

	while (verdict == VERDICT_MATCH) {
		if (reader->at < reader->length && reader->data[reader->at] == '\r')
			return read_literal(reader, "\r\n");
		verdict = read_field(reader, ret);
	}
	return verdict;
}

/* Takes the port, with its colon, off an authority (RFC 3986, section 3.2).
 * Returns false where that is malformed; user information is (RFC 9110, 4.2.4). */
static bool strip_port(struct span authority, struct span *ret)
{
	bool bracket = authority.length > 0 && authority.data[0] == '[';
	size_t at = bracket, begin;

	while (at < authority.length &&
	       (is_alphanumeric(authority.data[at]) ||
		is_one_of(authority.data[at], bracket ? ":.%-_~" : "-._~%!$&'()*+,;=")))
		at++;
	if (bracket && (at < 2 || at == authority.length || authority.data[at++] != ']'))
		return false;
	begin = at;
	if (at < authority.length && authority.data[at++] != ':')
		return false;
	while (at < authority.length && authority.data[at] >= '0' && authority.data[at] <= '9')
		at++;
	if (at < authority.length)
		return false;
	ret->data = authority.data;
	ret->length = begin;
	return true;
}

static bool is_connect(const struct span *method)
{
	return method->length == 7 && memcmp(method->data, "CONNECT", 7) == 0;
}

/* The authority in a target (RFC 9112, section 3.2); data is NULL where the
 * target's form has none. Returns false where it is of no form. */
static bool target_authority(const struct request *request, struct span *ret)
{
	static const char separator[] = "://";
	struct span target = request->target;
	size_t at = 0, begin;

	ret->data = NULL;
	ret->length = 0;
	if (is_connect(&request->method)) {
		*ret = target;
		return true;
	}
	if (target.data[0] == '/' || (target.length == 1 && target.data[0] == '*'))
		return true;
	while (at < target.length &&
	       (is_alphanumeric(target.data[at]) || is_one_of(target.data[at], "+-.")))
		at++;
	if (at == 0 || target.length - at < sizeof separator - 1 ||
	    memcmp(target.data + at, separator, sizeof separator - 1) != 0)
		return false;
	at += sizeof separator - 1;
	begin = at;
	while (at < target.length && !is_one_of(target.data[at], "/?#"))
		at++;
	ret->data = target.data + begin;
	ret->length = at - begin;
	return true;
}

/* RFC 9112, section 3.2: 1.1 without the field, and a field that is malformed,
 * are refused even where the target has the host. */
static enum verdict find_host(const struct request *request, struct span *ret)
{
	struct span host = {0}, authority;

	if (!request->has_host_field && !request->http_1_0)
		return VERDICT_NO;
	if (request->has_host_field && !strip_port(request->host_field, &host))
		return VERDICT_NO;
	if (!target_authority(request, &authority))
		return VERDICT_NO;
	if (authority.data && !strip_port(authority, &host))
		return VERDICT_NO;
	if (host.length == 0)
		return VERDICT_NO;
	*ret = host;
	return VERDICT_MATCH;
}

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static enum verdict ask(size_t length, size_t *ret_needed)
{
	if (length >= HTTP_HEAD_MAX_BYTES)
		return VERDICT_NO;
	*ret_needed = length + 1;
	return VERDICT_MORE;
}

enum verdict http_host_read(const uint8_t *data, size_t length, const uint8_t **ret_host,
			    size_t *ret_host_length, size_t *ret_needed)
{
	struct reader reader = {.data = data, .length = min_size(length, HTTP_HEAD_MAX_BYTES)};
	struct request request = {0};
	struct span host;
	enum verdict verdict = read_head(&reader, &request);

	if (verdict == VERDICT_MORE)
		return ask(length, ret_needed);
	if (verdict == VERDICT_MATCH)
		verdict = find_host(&request, &host);
	if (verdict == VERDICT_MATCH) {
		*ret_host = host.data;
		*ret_host_length = host.length;
	}
	return verdict;
}

/* A whole request line makes sure of it. */
static enum verdict http_stream(const uint8_t *data, size_t length, size_t *ret_needed)
{
	struct reader reader = {.data = data, .length = min_size(length, HTTP_HEAD_MAX_BYTES)};
	struct request request = {0};
	enum verdict verdict = read_request_line(&reader, &request);

	return verdict == VERDICT_MORE ? ask(length, ret_needed) : verdict;
}

const struct recogniser recogniser_http = {
	.name = "http",
	.stream = http_stream,
};
