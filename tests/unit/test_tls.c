/* ClientHellos: real ones, in all sizes of records, and malformed ones. */
#include "fixture.h"
#include "routing/tls.h"

#include <stdlib.h>
#include <string.h>

static enum verdict read_hello(const uint8_t *data, size_t length, size_t *ret_needed)
{
	struct client_hello hello;

	return client_hello_read(data, length, &hello, ret_needed);
}

static enum verdict is_tls(const uint8_t *data, size_t length, size_t *ret_needed)
{
	return recogniser_tls.stream(data, length, ret_needed);
}

/* Asserts what a hello asks for; NULL for nothing. */
static void assert_hello(const struct fixture *bytes, const char *name, const char *protocol)
{
	struct client_hello hello;
	size_t unused;

	ck_assert_int_eq(client_hello_read(bytes->bytes, bytes->length, &hello, &unused),
			 VERDICT_MATCH);
	ck_assert_uint_eq(hello.server_name_length, name ? strlen(name) : 0);
	if (name)
		ck_assert_mem_eq(hello.server_name, name, strlen(name));
	else
		ck_assert_ptr_null(hello.server_name);
	if (protocol)
		ck_assert(client_hello_offers(&hello, protocol));
	else
		ck_assert_ptr_null(hello.alpn);
	ck_assert(!client_hello_offers(&hello, "h"));
	ck_assert(!client_hello_offers(&hello, "http/1.12"));
	ck_assert(!client_hello_offers(&hello, ""));
}

/* Puts the handshake of a capture, which is one record, into smaller ones. */
static void split_records(const struct fixture *whole, size_t size, struct fixture *ret)
{
	size_t left = whole->length - 5;
	const uint8_t *from = whole->bytes + 5;

	for (ret->length = 0; left > 0;) {
		size_t part = left < size ? left : size;
		uint8_t *to = ret->bytes + ret->length;

		ck_assert_uint_le(ret->length + 5 + part, sizeof ret->bytes);
		memcpy(to, "\x16\x03\x01", 3);
		to[3] = (uint8_t)(part >> 8);
		to[4] = (uint8_t)part;
		memcpy(to + 5, from, part);
		ret->length += 5 + part;
		from += part;
		left -= part;
	}
}

static const struct {
	const char *file, *name, *protocol;
} captures[] = {
	{"tls/openssl-sni", "git.example.org", NULL},
	{"tls/openssl-alpn", "git.example.org", "http/1.1"},
	{"tls/openssl-bare", NULL, NULL},
	{"tls/openssl-tls1.2", "git.example.org", NULL},
	{"tls/openssl-fragments", "git.example.org", "protocol-59"},
	{"tls/curl", "www.example.org", "h2"},
};

START_TEST(captured)
{
	struct fixture bytes;

	fixture_read(captures[_i].file, &bytes);
	ck_assert_int_eq(judge_all(read_hello, RECOGNISE_MAX_BYTES, bytes.bytes, bytes.length),
			 VERDICT_MATCH);
	ck_assert_uint_eq(decided_at(is_tls, bytes.bytes, bytes.length), 11);
	assert_hello(&bytes, captures[_i].name, captures[_i].protocol);
}
END_TEST

START_TEST(in_many_records)
{
	static const size_t sizes[] = {1, 2, 3, 4, 5, 6, 7, 100, 211};
	struct fixture whole, split;

	fixture_read("tls/curl", &whole);
	split_records(&whole, sizes[_i], &split);
	ck_assert_int_eq(judge_all(read_hello, RECOGNISE_MAX_BYTES, split.bytes, split.length),
			 VERDICT_MATCH);
	ck_assert_int_eq(judge_all(is_tls, RECOGNISE_MAX_BYTES, split.bytes, split.length),
			 VERDICT_MATCH);
	ck_assert_uint_eq(decided_at(read_hello, split.bytes, split.length), split.length);
	assert_hello(&split, "www.example.org", "http/1.1");
}
END_TEST

/* A router that waits for what it is told to wait for reads few times. */
START_TEST(few_reads)
{
	struct fixture bytes;
	size_t needed = 0, reads = 0;

	fixture_read("tls/curl", &bytes);
	while (read_hello(bytes.bytes, needed, &needed) == VERDICT_MORE)
		reads++;
	ck_assert_uint_le(reads, 70);
	ck_assert_uint_eq(needed, bytes.length);
}
END_TEST

static void put16(uint8_t *at, size_t number)
{
	at[0] = (uint8_t)(number >> 8);
	at[1] = (uint8_t)number;
}

/* Builds a hello in one record, with these extensions. */
static void build(const void *extensions, size_t length, struct fixture *ret)
{
	static const char head[] = "\x16\x03\x01\0\0\x01\0\0\0\x03\x03";
	static const char lists[] = "\0\0\x04\x0a\x0a\x13\x01\x01\0"; /* GREASE among the ciphers */
	uint8_t *at = ret->bytes;

	memset(at, 0, sizeof ret->bytes);
	memcpy(at, head, sizeof head - 1);
	at += sizeof head - 1 + 32;
	memcpy(at, lists, sizeof lists - 1);
	at += sizeof lists - 1;
	put16(at, length);
	memcpy(at + 2, extensions, length);
	ret->length = (size_t)(at + 2 - ret->bytes) + length;
	put16(ret->bytes + 3, ret->length - 5);
	put16(ret->bytes + 7, ret->length - 9);
}

#define SNI                                                                                        \
	"\0\0\0\x08\0\x06\0\0\x03"                                                                 \
	"a.b"
#define SNI_BYTES 12
#define ALPN "\0\x10\0\x05\0\x03\x02h2"
#define GREASE "\x0a\x0a\0\0"
#define BYTES(text) text, sizeof text - 1

static const struct {
	const char *extensions;
	size_t length;
	enum verdict verdict;
	const char *name, *protocol;
} built[] = {
	{BYTES(""), VERDICT_MATCH, NULL, NULL},
	{BYTES(SNI), VERDICT_MATCH, "a.b", NULL},
	{BYTES(GREASE SNI "\x1a\x1a\0\x01\0" ALPN), VERDICT_MATCH, "a.b", "h2"},
	{BYTES("\0\x10\0\x08\0\x06\x02\x0a\x0a\x02h2"), VERDICT_MATCH, NULL, "h2"},
	/* a name of a type that nobody knows, before and after */
	{BYTES("\0\0\0\x0c\0\x0a\x07\0\x01x\0\0\x03"
	       "a.b"),
	 VERDICT_MATCH, "a.b", NULL},
	{BYTES("\0\0\0\x0c\0\x0a\0\0\x03"
	       "a.b\x07\0\x01x"),
	 VERDICT_MATCH, "a.b", NULL},
	{BYTES("\0\0\0\x06\0\x04\x07\0\x01x"), VERDICT_MATCH, NULL, NULL},
	/* twice */
	{BYTES(SNI SNI), VERDICT_NO, NULL, NULL},
	{BYTES(ALPN ALPN), VERDICT_NO, NULL, NULL},
	{BYTES("\0\0\0\x0a\0\x08\0\0\x01x\0\0\x01y"), VERDICT_NO, NULL, NULL},
	/* no names, or an empty one, or one that cannot be */
	{BYTES("\0\0\0\0"), VERDICT_NO, NULL, NULL},
	{BYTES("\0\0\0\x02\0\0"), VERDICT_NO, NULL, NULL},
	{BYTES("\0\0\0\x05\0\x03\0\0\0"), VERDICT_NO, NULL, NULL},
	{BYTES("\0\0\0\x08\0\x06\0\0\x03"
	       "a\0b"),
	 VERDICT_NO, NULL, NULL},
	{BYTES("\0\0\0\x08\0\x06\0\0\x03"
	       "a b"),
	 VERDICT_NO, NULL, NULL},
	/* lengths that do not agree */
	{BYTES("\0\0\0\x08\0\x05\0\0\x03"
	       "a.b"),
	 VERDICT_NO, NULL, NULL},
	{BYTES("\0\0\0\x08\0\x07\0\0\x03"
	       "a.b"),
	 VERDICT_NO, NULL, NULL},
	{BYTES("\0\0\0\x08\0\x06\0\0\x04"
	       "a.b"),
	 VERDICT_NO, NULL, NULL},
	{BYTES("\0\0\0\x08\0\x06\0\0\x02"
	       "a.b"),
	 VERDICT_NO, NULL, NULL},
	{BYTES("\0\0\0\x09\0\x06\0\0\x03"
	       "a.b"),
	 VERDICT_NO, NULL, NULL},
	{BYTES("\0\x10\0\x02\0\0"), VERDICT_NO, NULL, NULL},
	{BYTES("\0\x10\0\x03\0\x01\0"), VERDICT_NO, NULL, NULL},
	{BYTES("\0\x10\0\x05\0\x03\x03h2"), VERDICT_NO, NULL, NULL},
	{BYTES("\0\x10\0\x05\0\x03\x01h2"), VERDICT_NO, NULL, NULL},
	{BYTES("\x0a\x0a\0\x01"), VERDICT_NO, NULL, NULL},
	{BYTES("\x0a\x0a\0"), VERDICT_NO, NULL, NULL},
};

START_TEST(extensions)
{
	struct fixture bytes;

	build(built[_i].extensions, built[_i].length, &bytes);
	ck_assert_int_eq(judge_all(read_hello, RECOGNISE_MAX_BYTES, bytes.bytes, bytes.length),
			 built[_i].verdict);
	if (built[_i].verdict == VERDICT_MATCH)
		assert_hello(&bytes, built[_i].name, built[_i].protocol);
}
END_TEST

/* A byte of the hello that is changed, and where that is found out. */
static const struct {
	size_t place;
	uint8_t value;
	enum verdict verdict, tls;
	size_t at;
} changes[] = {
	{0, 0x80, VERDICT_NO, VERDICT_NO, 1}, /* SSL 2's form */
	{0, 23, VERDICT_NO, VERDICT_NO, 1},
	{1, 2, VERDICT_NO, VERDICT_NO, 2},
	{2, 0, VERDICT_MATCH, VERDICT_MATCH, 0},
	{2, 9, VERDICT_MATCH, VERDICT_MATCH, 0},
	{3, 0x41, VERDICT_NO, VERDICT_NO, 4},
	{5, 2, VERDICT_NO, VERDICT_NO, 6},
	{6, 1, VERDICT_NO, VERDICT_NO, 7},
	{7, 0x41, VERDICT_NO, VERDICT_NO, 8},
	{8, 40, VERDICT_NO, VERDICT_NO, 9},
	{9, 2, VERDICT_NO, VERDICT_NO, 10},
	{10, 0, VERDICT_NO, VERDICT_NO, 11}, /* SSL 3 */
	{10, 1, VERDICT_MATCH, VERDICT_MATCH, 0},
	{10, 2, VERDICT_MATCH, VERDICT_MATCH, 0},
	{10, 4, VERDICT_MATCH, VERDICT_MATCH, 0},
	{43, 33, VERDICT_NO, VERDICT_MATCH, 44}, /* session id */
	{43, 5, VERDICT_NO, VERDICT_MATCH, 51},
	{45, 3, VERDICT_NO, VERDICT_MATCH, 46}, /* cipher suites: an odd number of bytes */
	{45, 0, VERDICT_NO, VERDICT_MATCH, 46},
	{45, 200, VERDICT_NO, VERDICT_MATCH, 46},
	{50, 0, VERDICT_NO, VERDICT_MATCH, 51},  /* compression methods */
	{53, 11, VERDICT_NO, VERDICT_MATCH, 54}, /* all extensions */
	{53, 13, VERDICT_NO, VERDICT_MATCH, 54},
};

START_TEST(changed)
{
	struct fixture bytes;

	build(SNI, SNI_BYTES, &bytes);
	ck_assert_uint_ne(bytes.bytes[changes[_i].place], changes[_i].value);
	bytes.bytes[changes[_i].place] = changes[_i].value;
	ck_assert_int_eq(judge_all(read_hello, RECOGNISE_MAX_BYTES, bytes.bytes, bytes.length),
			 changes[_i].verdict);
	ck_assert_int_eq(judge_all(is_tls, RECOGNISE_MAX_BYTES, bytes.bytes, bytes.length),
			 changes[_i].tls);
	if (changes[_i].verdict == VERDICT_NO)
		ck_assert_uint_eq(decided_at(read_hello, bytes.bytes, bytes.length),
				  changes[_i].at);
}
END_TEST

START_TEST(without_extensions)
{
	struct fixture bytes;

	build("", 0, &bytes);
	bytes.length -= 2;
	put16(bytes.bytes + 3, bytes.length - 5);
	put16(bytes.bytes + 7, bytes.length - 9);
	ck_assert_int_eq(judge_all(read_hello, RECOGNISE_MAX_BYTES, bytes.bytes, bytes.length),
			 VERDICT_MATCH);
	assert_hello(&bytes, NULL, NULL);
}
END_TEST

/* Early data, or whatever follows, does not matter; nor may it come in between. */
START_TEST(what_follows)
{
	struct fixture whole, split;
	size_t unused;

	fixture_read("tls/curl", &whole);
	memset(whole.bytes + whole.length, 0x17, 100);
	whole.length += 100;
	ck_assert_int_eq(judge_all(read_hello, RECOGNISE_MAX_BYTES, whole.bytes, whole.length),
			 VERDICT_MATCH);
	whole.length -= 100;
	split_records(&whole, 100, &split);
	split.bytes[105] = 0x17;
	ck_assert_int_eq(judge_all(read_hello, RECOGNISE_MAX_BYTES, split.bytes, split.length),
			 VERDICT_NO);
	ck_assert_uint_eq(decided_at(read_hello, split.bytes, split.length), 106);
	split.bytes[105] = 0x16;
	split.bytes[109] = 0; /* an empty record */
	ck_assert_int_eq(read_hello(split.bytes, split.length, &unused), VERDICT_NO);
	ck_assert_uint_eq(decided_at(read_hello, split.bytes, split.length), 110);
}
END_TEST

/* The longest hello that is read, and one byte more, in ever smaller records. */
START_TEST(longest)
{
	static uint8_t padding[CLIENT_HELLO_MAX_BYTES];
	struct fixture bytes, split;
	size_t room = CLIENT_HELLO_MAX_BYTES - 49, unused;

	memcpy(padding, SNI "\0\x15", SNI_BYTES + 2);
	put16(padding + SNI_BYTES + 2, room - SNI_BYTES - 4);
	build(padding, room, &bytes);
	ck_assert_uint_eq(bytes.length, CLIENT_HELLO_MAX_BYTES + 5);
	assert_hello(&bytes, "a.b", NULL);
	split_records(&bytes, 21, &split);
	ck_assert_uint_le(split.length, RECOGNISE_MAX_BYTES);
	assert_hello(&split, "a.b", NULL);
	split_records(&bytes, 20, &split);
	ck_assert_uint_gt(split.length, RECOGNISE_MAX_BYTES);
	ck_assert_int_eq(read_hello(split.bytes, split.length, &unused), VERDICT_NO);

	put16(padding + SNI_BYTES + 2, room - SNI_BYTES - 3);
	build(padding, room + 1, &bytes);
	put16(bytes.bytes + 3, CLIENT_HELLO_MAX_BYTES);
	ck_assert_int_eq(read_hello(bytes.bytes, bytes.length, &unused), VERDICT_NO);
	ck_assert_uint_eq(decided_at(read_hello, bytes.bytes, bytes.length), 9);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("tls");

	tcase_add_loop_test(tests, captured, 0, sizeof captures / sizeof captures[0]);
	tcase_add_loop_test(tests, in_many_records, 0, 9);
	tcase_add_test(tests, few_reads);
	tcase_add_loop_test(tests, extensions, 0, sizeof built / sizeof built[0]);
	tcase_add_loop_test(tests, changed, 0, sizeof changes / sizeof changes[0]);
	tcase_add_test(tests, without_extensions);
	tcase_add_test(tests, what_follows);
	tcase_add_test(tests, longest);
	return run_case(tests, "tls");
}
