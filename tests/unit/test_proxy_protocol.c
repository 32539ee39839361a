/* The PROXY protocol: what HAProxy and nginx send, what nobody may, and back. */
#include "fixture.h"
#include "support/proxy_protocol.h"

#include <stdlib.h>
#include <string.h>

static enum verdict judge_header(const uint8_t *data, size_t length, size_t *ret_needed)
{
	struct proxy_protocol_header header;

	return proxy_protocol_read(data, length, &header, ret_needed);
}

static enum verdict judge_whole(const void *data, size_t length)
{
	return judge_all(judge_header, PROXY_PROTOCOL_MAX_BYTES, data, length);
}

/* Asserts a header's addresses as text; NULL for a local one. */
static void assert_header(const void *data, size_t length, const char *source,
			  const char *destination, struct proxy_protocol_header *ret)
{
	char text[ADOPT_ADDRESS_TEXT_SIZE];
	size_t unused;

	ck_assert_int_eq(proxy_protocol_read(data, length, ret, &unused), VERDICT_MATCH);
	ck_assert_int_eq(ret->local, source == NULL);
	if (!source) {
		ck_assert_uint_eq(ret->source.length, 0);
		ck_assert_uint_eq(ret->destination.length, 0);
		ck_assert_int_eq(ret->type, 0);
		return;
	}
	ck_assert_str_eq(adopt_address_format(&ret->source, text, sizeof text), source);
	ck_assert_str_eq(adopt_address_format(&ret->destination, text, sizeof text), destination);
}

/* Ports are whatever the kernel chose, so hosts only; `hello\r\n` follows. */
static const struct {
	const char *file, *host;
	size_t follows;
} captures[] = {
	{"proxy_protocol/haproxy-v1-inet", "127.0.0.1:", 7},
	{"proxy_protocol/haproxy-v1-inet6", "[::1]:", 7},
	{"proxy_protocol/haproxy-v1-unix", NULL, 7},
	{"proxy_protocol/haproxy-v2-inet", "127.0.0.1:", 7},
	{"proxy_protocol/haproxy-v2-inet6", "[::1]:", 7},
	{"proxy_protocol/haproxy-v2-unix", NULL, 7},
	{"proxy_protocol/haproxy-v2-crc32c", "127.0.0.1:", 7},
	{"proxy_protocol/haproxy-v2-local", NULL, 0},
	{"proxy_protocol/nginx-v1-inet", "127.0.0.1:", 7},
};

START_TEST(captured)
{
	char text[ADOPT_ADDRESS_TEXT_SIZE];
	struct proxy_protocol_header header;
	struct fixture bytes;
	size_t unused, length;

	fixture_read(captures[_i].file, &bytes);
	length = bytes.length - captures[_i].follows;
	ck_assert_int_eq(judge_whole(bytes.bytes, bytes.length), VERDICT_MATCH);
	ck_assert_uint_eq(decided_at(judge_header, bytes.bytes, bytes.length), length);
	proxy_protocol_read(bytes.bytes, bytes.length, &header, &unused);
	ck_assert_uint_eq(header.length, length);
	ck_assert_int_eq(header.local, captures[_i].host == NULL);
	if (!captures[_i].host)
		return;
	adopt_address_format(&header.source, text, sizeof text);
	ck_assert_int_eq(strncmp(text, captures[_i].host, strlen(captures[_i].host)), 0);
	ck_assert_uint_ne(adopt_address_port(&header.source), 0);
	ck_assert(!adopt_address_equal(&header.source, &header.destination));
}
END_TEST

/* The addresses, or the checksum, of a header that bears one. */
START_TEST(damaged)
{
	struct fixture bytes;

	fixture_read("proxy_protocol/haproxy-v2-crc32c", &bytes);
	for (size_t i = 16; i < 28; i++) {
		bytes.bytes[i] ^= 1;
		ck_assert_int_eq(judge_whole(bytes.bytes, bytes.length), VERDICT_NO);
		bytes.bytes[i] ^= 1;
	}
	for (size_t i = 31; i < 35; i++) {
		bytes.bytes[i] ^= 0x80;
		ck_assert_int_eq(judge_whole(bytes.bytes, bytes.length), VERDICT_NO);
		bytes.bytes[i] ^= 0x80;
	}
	bytes.bytes[30] = 3; /* a checksum of three bytes */
	ck_assert_int_eq(judge_whole(bytes.bytes, bytes.length), VERDICT_NO);
}
END_TEST

#define BYTES(text) text, sizeof text - 1
#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define IN4 "\xc0\0\x02\x01\xc6\x33\x64\x02\x04\0\x01\xbb"
#define IN6                                                                                        \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"     \
	"\x04\0\x01\xbb"

static const struct {
	const char *data;
	size_t length;
	const char *source, *destination; /* NULL for a local one */
	int type;
} right[] = {
	{BYTES("PROXY TCP4 192.0.2.1 198.51.100.2 1024 443\r\n"), "192.0.2.1:1024",
	 "198.51.100.2:443", SOCK_STREAM},
	{BYTES("PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n"), "255.255.255.255:65535",
	 "0.0.0.0:0", SOCK_STREAM},
	{BYTES("PROXY TCP6 2001:db8::1 2001:db8::2 1024 443\r\n"), "[2001:db8::1]:1024",
	 "[2001:db8::2]:443", SOCK_STREAM},
	{BYTES("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	 "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
	 "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", SOCK_STREAM},
	{BYTES("PROXY UNKNOWN\r\n"), NULL, NULL, 0},
	{BYTES("PROXY UNKNOWN whatever 1 2\r\n"), NULL, NULL, 0},
	{BYTES("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	 NULL, NULL, 0},
	{BYTES(V2 "\x21\x11\0\x0c" IN4), "192.0.2.1:1024", "198.51.100.2:443", SOCK_STREAM},
	{BYTES(V2 "\x21\x12\0\x0c" IN4), "192.0.2.1:1024", "198.51.100.2:443", SOCK_DGRAM},
	{BYTES(V2 "\x21\x21\0\x24" IN6), "[2001:db8::1]:1024", "[2001:db8::2]:443", SOCK_STREAM},
	{BYTES(V2 "\x21\x22\0\x24" IN6), "[2001:db8::1]:1024", "[2001:db8::2]:443", SOCK_DGRAM},
	/* TLVs: one that nobody knows, an empty one, two */
	{BYTES(V2 "\x21\x11\0\x11" IN4 "\xe0\0\x02xy"), "192.0.2.1:1024", "198.51.100.2:443",
	 SOCK_STREAM},
	{BYTES(V2 "\x21\x11\0\x13" IN4 "\x04\0\0\x04\0\x01\0"), "192.0.2.1:1024",
	 "198.51.100.2:443", SOCK_STREAM},
	{BYTES(V2 "\x21\0\0\0"), NULL, NULL, 0},
	{BYTES(V2 "\x21\0\0\x03\x04\0\0"), NULL, NULL, 0},
	/* LOCAL: no addresses, some, some of a family that nobody knows, too few */
	{BYTES(V2 "\x20\0\0\0"), NULL, NULL, 0},
	{BYTES(V2 "\x20\x11\0\x0c" IN4), NULL, NULL, 0},
	{BYTES(V2 "\x20\x77\0\x02xy"), NULL, NULL, 0},
	{BYTES(V2 "\x20\x11\0\0"), NULL, NULL, 0},
};

/* With and without something behind it, which stays where it is. */
START_TEST(is_right)
{
	struct proxy_protocol_header header;
	uint8_t more[256];
	size_t length = right[_i].length;

	ck_assert_uint_le(length + 4, sizeof more);
	ck_assert_int_eq(judge_whole(right[_i].data, length), VERDICT_MATCH);
	assert_header(right[_i].data, length, right[_i].source, right[_i].destination, &header);
	ck_assert_uint_eq(header.length, length);
	ck_assert_int_eq(header.type, right[_i].type);
	memcpy(more, right[_i].data, length);
	memcpy(more + length, "\x04\0\x01\n", 4);
	assert_header(more, length + 4, right[_i].source, right[_i].destination, &header);
	ck_assert_uint_eq(header.length, length);
}
END_TEST

static const struct {
	const char *data;
	size_t length;
} wrong[] = {
	{BYTES("GET / HTTP/1.1\r\n")},
	{BYTES("PROXX")},
	{BYTES("\r\n\r\nQ")},
	{BYTES("PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n")},
	{BYTES("PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n")},
	{BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n")},
	{BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n")},
	{BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n")},
	{BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 \r\n")},
	{BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n")},
	{BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n")},
	{BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n")},
	{BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n")},
	{BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rx")},
	{BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\0\r\n")},
	{BYTES("PROXY TCP4 192.0.2.1 2001:db8::2 1 2\r\n")},
	{BYTES("PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n")},
	{BYTES("PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n")},
	{BYTES("PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n")},
	{BYTES("PROXY TCP6 ::1%lo ::1 1 2\r\n")},
	{BYTES("PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n")},
	{BYTES("PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n")},
	{BYTES("PROXY UNKNOWNX\r\n")},
	{BYTES("PROXY \r\n")},
	/* 108 bytes, and a line without an end */
	{BYTES("PROXY UNKNOWN fffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n")},
	{BYTES("PROXY UNKNOWN aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	       "aaaaaaaaaaaaaaaaaaaaaaaaaa")},
	{BYTES(V2 "\x11\x11\0\x0c" IN4)},
	{BYTES(V2 "\x31\x11\0\x0c" IN4)},
	{BYTES(V2 "\x22\x11\0\x0c" IN4)},
	{BYTES(V2 "\x21\x10\0\x0c" IN4)},
	{BYTES(V2 "\x21\x13\0\x0c" IN4)},
	{BYTES(V2 "\x21\x01\0\x0c" IN4)},
	{BYTES(V2 "\x21\x41\0\x0c" IN4)},
	/* lengths: less than the addresses, TLVs beyond the end, half a TLV */
	{BYTES(V2 "\x21\x11\0\x0b" IN4)},
	{BYTES(V2 "\x21\x21\0\x0c" IN4)},
	{BYTES(V2 "\x21\x31\0\xd7")},
	{BYTES(V2 "\x21\x11\0\x10" IN4 "\x04\0\x02x")},
	{BYTES(V2 "\x21\x11\0\x0e" IN4 "\x04\0")},
	{BYTES(V2 "\x21\x11\0\x13" IN4 "\x03\0\x04\0\0\0\0")},
	{BYTES(V2 "\x21\x11\xff\xff" IN4)}, /* more than is ever kept */
};

START_TEST(is_wrong)
{
	ck_assert_int_eq(judge_whole(wrong[_i].data, wrong[_i].length), VERDICT_NO);
}
END_TEST

/* Both versions of a header, read back. */
static const struct {
	const char *source, *destination;
	int type;
	const char *v1, *source_v2, *destination_v2; /* what comes back; NULL: local */
} written[] = {
	{"192.0.2.1:1024", "192.0.2.2:443", SOCK_STREAM,
	 "PROXY TCP4 192.0.2.1 192.0.2.2 1024 443\r\n", "192.0.2.1:1024", "192.0.2.2:443"},
	{"[2001:db8::1]:1024", "[2001:db8::2]:443", SOCK_STREAM,
	 "PROXY TCP6 2001:db8::1 2001:db8::2 1024 443\r\n", "[2001:db8::1]:1024",
	 "[2001:db8::2]:443"},
	{"[::ffff:192.0.2.1]:1024", "[::ffff:192.0.2.2]:443", SOCK_STREAM,
	 "PROXY TCP4 192.0.2.1 192.0.2.2 1024 443\r\n", "192.0.2.1:1024", "192.0.2.2:443"},
	{"192.0.2.1:1024", "[2001:db8::2]:443", SOCK_STREAM,
	 "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1024 443\r\n", "[::ffff:192.0.2.1]:1024",
	 "[2001:db8::2]:443"},
	{"192.0.2.1:1024", "192.0.2.2:53", SOCK_DGRAM, "PROXY UNKNOWN\r\n", "192.0.2.1:1024",
	 "192.0.2.2:53"},
	{"unix:/run/a", "unix:@b", SOCK_STREAM, "PROXY UNKNOWN\r\n", "unix:/run/a", "unix:@b"},
	{"unix:/run/a", "192.0.2.2:53", SOCK_STREAM, "PROXY UNKNOWN\r\n", NULL, NULL},
	{"192.0.2.1:1024", "unix:/run/a", SOCK_STREAM, "PROXY TCP4 192.0.2.1 0.0.0.0 1024 0\r\n",
	 "192.0.2.1:1024", "0.0.0.0:0"},
	{"[2001:db8::1]:1024", "unix:@b", SOCK_STREAM, "PROXY TCP6 2001:db8::1 :: 1024 0\r\n",
	 "[2001:db8::1]:1024", "[::]:0"},
	{"192.0.2.1:1024", "192.0.2.2:53", SOCK_SEQPACKET, "PROXY UNKNOWN\r\n", NULL, NULL},
};

START_TEST(written_and_read)
{
	struct proxy_protocol_header header = {.type = written[_i].type}, read;
	uint8_t buffer[PROXY_PROTOCOL_WRITE_BYTES];
	size_t length;

	ck_assert_int_eq(adopt_address_parse(written[_i].source, &header.source), 0);
	ck_assert_int_eq(adopt_address_parse(written[_i].destination, &header.destination), 0);
	length = proxy_protocol_write_v1(&header, buffer);
	ck_assert_uint_eq(length, strlen(written[_i].v1));
	ck_assert_mem_eq(buffer, written[_i].v1, length);
	ck_assert_int_eq(judge_whole(buffer, length), VERDICT_MATCH);

	length = proxy_protocol_write_v2(&header, buffer);
	ck_assert_int_eq(judge_whole(buffer, length), VERDICT_MATCH);
	assert_header(buffer, length, written[_i].source_v2, written[_i].destination_v2, &read);
	ck_assert_uint_eq(read.length, length);
	ck_assert_int_eq(read.type, written[_i].source_v2 ? written[_i].type : 0);
}
END_TEST

START_TEST(local_written)
{
	struct proxy_protocol_header header = {.local = true}, read;
	uint8_t buffer[PROXY_PROTOCOL_WRITE_BYTES];

	ck_assert_uint_eq(proxy_protocol_write_v2(&header, buffer), 16);
	ck_assert_mem_eq(buffer, V2 "\x20\0\0\0", 16);
	assert_header(buffer, 16, NULL, NULL, &read);
	ck_assert_uint_eq(proxy_protocol_write_v1(&header, buffer), 15);
	ck_assert_mem_eq(buffer, "PROXY UNKNOWN\r\n", 15);
}
END_TEST

/* Names that fill all of their 108 bytes, and unnamed ones. */
START_TEST(unix_names)
{
	struct proxy_protocol_header header = {.type = SOCK_STREAM}, read;
	uint8_t buffer[PROXY_PROTOCOL_WRITE_BYTES];
	const size_t room = sizeof header.source.name.un.sun_path;
	const socklen_t offset = offsetof(struct sockaddr_un, sun_path);
	size_t unused;

	header.source.length = (socklen_t)(offset + room);
	header.source.name.un.sun_family = AF_UNIX;
	memset(header.source.name.un.sun_path, 'a', room);
	header.destination.length = offset;
	header.destination.name.un.sun_family = AF_UNIX;
	ck_assert_uint_eq(proxy_protocol_write_v2(&header, buffer), sizeof buffer);
	ck_assert_int_eq(judge_whole(buffer, sizeof buffer), VERDICT_MATCH);
	ck_assert_int_eq(proxy_protocol_read(buffer, sizeof buffer, &read, &unused), VERDICT_MATCH);
	ck_assert(adopt_address_equal(&read.source, &header.source));
	ck_assert_uint_eq(read.destination.length, offset);
	ck_assert_int_eq(adopt_address_family(&read.destination), AF_UNIX);
	/* A client without a name is none. */
	header.source.length = offset;
	ck_assert_uint_eq(proxy_protocol_write_v2(&header, buffer), 16);
	ck_assert_mem_eq(buffer, V2 "\x20\0\0\0", 16);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("proxy_protocol");

	tcase_add_loop_test(tests, captured, 0, sizeof captures / sizeof captures[0]);
	tcase_add_test(tests, damaged);
	tcase_add_loop_test(tests, is_right, 0, sizeof right / sizeof right[0]);
	tcase_add_loop_test(tests, is_wrong, 0, sizeof wrong / sizeof wrong[0]);
	tcase_add_loop_test(tests, written_and_read, 0, sizeof written / sizeof written[0]);
	tcase_add_test(tests, local_written);
	tcase_add_test(tests, unix_names);
	return run_case(tests, "proxy_protocol");
}
