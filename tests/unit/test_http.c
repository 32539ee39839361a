/* Which host a request is for, and which requests nobody should guess about. */
#include "fixture.h"
#include "routing/http.h"

#include <stdlib.h>
#include <string.h>

static enum verdict read_host(const uint8_t *data, size_t length, size_t *ret_needed)
{
	const uint8_t *host;
	size_t host_length;

	return http_host_read(data, length, &host, &host_length, ret_needed);
}

static enum verdict is_http(const uint8_t *data, size_t length, size_t *ret_needed)
{
	return recogniser_http.stream(data, length, ret_needed);
}

static void assert_host(const void *data, size_t length, const char *expected)
{
	const uint8_t *host;
	size_t host_length, unused;

	ck_assert_int_eq(http_host_read(data, length, &host, &host_length, &unused), VERDICT_MATCH);
	ck_assert_uint_eq(host_length, strlen(expected));
	ck_assert_mem_eq(host, expected, host_length);
}

static const struct {
	const char *file, *host;
} captures[] = {
	{"http/curl", "www.example.org"},       {"http/curl-http1.0", "old.example.org"},
	{"http/curl-proxy", "far.example.org"}, {"http/curl-connect", "far.example.org"},
	{"http/curl-upgrade", "127.0.0.1"},
};

START_TEST(captured)
{
	struct fixture bytes;

	fixture_read(captures[_i].file, &bytes);
	ck_assert_int_eq(judge_all(read_host, HTTP_HEAD_MAX_BYTES, bytes.bytes, bytes.length),
			 VERDICT_MATCH);
	assert_host(bytes.bytes, bytes.length, captures[_i].host);
}
END_TEST

#define BYTES(text) text, sizeof text - 1
#define GET "GET / HTTP/1.1\r\n"

static const struct {
	const char *data;
	size_t length;
	const char *host; /* NULL: no match */
} heads[] = {
	{BYTES(GET "Host: a.org\r\n\r\n"), "a.org"},
	{BYTES(GET "hOST:a.org\r\n\r\n"), "a.org"},
	{BYTES(GET "Accept: */*\r\nX:\r\nHOST: \t a.org \t\r\nY: z\r\n\r\nHost: b"), "a.org"},
	{BYTES(GET "Host: a.org:8080\r\n\r\n"), "a.org"},
	{BYTES(GET "Host: a.org:\r\n\r\n"), "a.org"},
	{BYTES(GET "Host: A.org.\r\n\r\n"), "A.org."},
	{BYTES(GET "Host: [2001:db8::1]:80\r\n\r\n"), "[2001:db8::1]"},
	{BYTES(GET "Host: [::1]\r\n\r\n"), "[::1]"},
	{BYTES("\r\n" GET "Host: a.org\r\n\r\n"), "a.org"},
	{BYTES("PROPFIND-2 /\xc3\xa4?x HTTP/1.0\r\nHost: a.org\r\n\r\n"), "a.org"},
	{BYTES("OPTIONS * HTTP/1.1\r\nHost: a.org\r\n\r\n"), "a.org"},
	{BYTES("GET http://b.org:80/x HTTP/1.1\r\nHost: a.org\r\n\r\n"), "b.org"},
	{BYTES("GET https://[::1]?x HTTP/1.1\r\nHost: a.org\r\n\r\n"), "[::1]"},
	{BYTES("GET http://b.org HTTP/1.1\r\nHost:\r\n\r\n"), "b.org"},
	{BYTES("GET http://b.org HTTP/1.0\r\n\r\n"), "b.org"},
	{BYTES("CONNECT b.org:443 HTTP/1.1\r\nHost: a.org\r\n\r\n"), "b.org"},

	/* no host, or none that one could name */
	{BYTES(GET "\r\n"), NULL},
	{BYTES(GET "Host:\r\n\r\n"), NULL},
	{BYTES("GET / HTTP/1.0\r\n\r\n"), NULL},
	{BYTES("GET http://b.org/ HTTP/1.1\r\n\r\n"), NULL},
	{BYTES("GET http:///x HTTP/1.1\r\nHost: a.org\r\n\r\n"), NULL},
	{BYTES("GET http://u@b.org/ HTTP/1.1\r\nHost: a.org\r\n\r\n"), NULL},
	{BYTES("GET b.org HTTP/1.1\r\nHost: a.org\r\n\r\n"), NULL},
	{BYTES("CONNECT /x HTTP/1.1\r\nHost: a.org\r\n\r\n"), NULL},
	{BYTES(GET "Host: a.org/x\r\n\r\n"), NULL},
	{BYTES(GET "Host: a.org:x\r\n\r\n"), NULL},
	{BYTES(GET "Host: a.org:80:80\r\n\r\n"), NULL},
	{BYTES(GET "Host: ::1\r\n\r\n"), NULL},
	{BYTES(GET "Host: [::1\r\n\r\n"), NULL},
	{BYTES(GET "Host: []\r\n\r\n"), NULL},
	{BYTES(GET "Host: [::1]x\r\n\r\n"), NULL},
	{BYTES(GET "Host: a b\r\n\r\n"), NULL},
	{BYTES(GET "Host: a\xff\r\n\r\n"), NULL},
	{BYTES("GET http://b.org/ HTTP/1.1\r\nHost: a b\r\n\r\n"), NULL},

	/* what servers read in different ways */
	{BYTES(GET "Host: a.org\r\nHost: b.org\r\n\r\n"), NULL},
	{BYTES(GET "Host: a.org\r\nHost: a.org\r\n\r\n"), NULL},
	{BYTES(GET "Host : a.org\r\n\r\n"), NULL},
	{BYTES(GET " Host: a.org\r\n\r\n"), NULL},
	{BYTES(GET "Host:\r\n a.org\r\n\r\n"), NULL},
	{BYTES(GET "X: y\r\n\tz\r\nHost: a.org\r\n\r\n"), NULL},
	{BYTES(GET ": a.org\r\n\r\n"), NULL},
	{BYTES(GET "Host a.org\r\n\r\n"), NULL},
	{BYTES(GET "Host: a.org\n\n"), NULL},
	{BYTES("GET / HTTP/1.1\nHost: a.org\r\n\r\n"), NULL},
	{BYTES(GET "Host: a.org\r\n\n"), NULL},
	{BYTES(GET "Host: a.org\r\r\n\r\n"), NULL},
	{BYTES(GET "Host: a.org\0\r\n\r\n"), NULL},
	{BYTES(GET "X: \0\r\nHost: a.org\r\n\r\n"), NULL},
	{BYTES(GET "X\0: y\r\nHost: a.org\r\n\r\n"), NULL},
	{BYTES("GET  / HTTP/1.1\r\nHost: a.org\r\n\r\n"), NULL},
	{BYTES("GET /  HTTP/1.1\r\nHost: a.org\r\n\r\n"), NULL},
	{BYTES("GET / HTTP/1.1 \r\nHost: a.org\r\n\r\n"), NULL},
	{BYTES("GET / HTTP/1.2\r\nHost: a.org\r\n\r\n"), NULL},
	{BYTES("GET / http/1.1\r\nHost: a.org\r\n\r\n"), NULL},
	{BYTES("GET /\r\nHost: a.org\r\n\r\n"), NULL},
	{BYTES("\r\n\r\n" GET "Host: a.org\r\n\r\n"), NULL},
	{BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), NULL},
};

START_TEST(head)
{
	enum verdict verdict =
		judge_all(read_host, HTTP_HEAD_MAX_BYTES, heads[_i].data, heads[_i].length);

	ck_assert_int_eq(verdict, heads[_i].host ? VERDICT_MATCH : VERDICT_NO);
	if (heads[_i].host)
		assert_host(heads[_i].data, heads[_i].length, heads[_i].host);
}
END_TEST

/* The protocol is sure, or impossible, at this byte. */
static const struct {
	const char *data;
	enum verdict verdict;
	size_t at;
} openings[] = {
	{"GET / HTTP/1.1\r\nHost", VERDICT_MATCH, 16},
	{"X / HTTP/1.0\r\n", VERDICT_MATCH, 14},
	{"GET / HTTP/1.1\r", VERDICT_MORE, 0},
	{"GET / HTTP/1.1\n", VERDICT_NO, 15},
	{"GET / HTTP/2", VERDICT_NO, 12},
	{"GET key\r\n", VERDICT_NO, 8},
	{"SSH-2.0-OpenSSH_9.2p1\r\n", VERDICT_NO, 22},
	{" GET", VERDICT_NO, 1},
	{"\n", VERDICT_NO, 1},
	{"\r\n\r", VERDICT_NO, 3},
	{"\x16\x03", VERDICT_NO, 1},
	{"EHLO a\r\n", VERDICT_NO, 7},
	{"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / HTTP/1.1\r\n", VERDICT_MATCH, 45},
	{"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG", VERDICT_NO, 33},
};

START_TEST(opening)
{
	const char *data = openings[_i].data;

	ck_assert_int_eq(judge_all(is_http, HTTP_HEAD_MAX_BYTES, data, strlen(data)),
			 openings[_i].verdict);
	if (openings[_i].verdict != VERDICT_MORE)
		ck_assert_uint_eq(decided_at(is_http, data, strlen(data)), openings[_i].at);
}
END_TEST

/* A Host field at the very end of the longest head, and of one that is longer. */
START_TEST(longest)
{
	static const char end[] = "\r\nHost: a.org\r\n\r\n";
	struct fixture bytes;
	size_t unused;

	memset(bytes.bytes, 'x', sizeof bytes.bytes);
	memcpy(bytes.bytes, GET "X: ", sizeof GET + 2);
	memcpy(bytes.bytes + HTTP_HEAD_MAX_BYTES - sizeof end + 1, end, sizeof end - 1);
	assert_host(bytes.bytes, HTTP_HEAD_MAX_BYTES, "a.org");
	ck_assert_int_eq(read_host(bytes.bytes, HTTP_HEAD_MAX_BYTES - 1, &unused), VERDICT_MORE);
	ck_assert_uint_eq(unused, HTTP_HEAD_MAX_BYTES);

	memset(bytes.bytes + sizeof GET + 2, 'x', HTTP_HEAD_MAX_BYTES);
	memcpy(bytes.bytes + HTTP_HEAD_MAX_BYTES - sizeof end + 2, end, sizeof end - 1);
	ck_assert_int_eq(read_host(bytes.bytes, HTTP_HEAD_MAX_BYTES, &unused), VERDICT_NO);
	ck_assert_int_eq(read_host(bytes.bytes, HTTP_HEAD_MAX_BYTES + 1, &unused), VERDICT_NO);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("http");

	tcase_add_loop_test(tests, captured, 0, sizeof captures / sizeof captures[0]);
	tcase_add_loop_test(tests, head, 0, sizeof heads / sizeof heads[0]);
	tcase_add_loop_test(tests, opening, 0, sizeof openings / sizeof openings[0]);
	tcase_add_test(tests, longest);
	return run_case(tests, "http");
}
