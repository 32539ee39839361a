/* Each recogniser on captures and on what is nearly, but not, its protocol. */
#include "fixture.h"
#include "routing/recognise.h"

#include <stdlib.h>
#include <string.h>

#define NO VERDICT_NO
#define MATCH VERDICT_MATCH
#define MORE VERDICT_MORE

static enum verdict judge_stream(const char *protocol, const void *data, size_t length)
{
	const struct recogniser *recogniser = recogniser_find(protocol);

	ck_assert_ptr_nonnull(recogniser);
	ck_assert_msg(recogniser->stream != NULL, "%s has no streams", protocol);
	return judge_all(recogniser->stream, RECOGNISE_MAX_BYTES, data, length);
}

static const char *const captured_streams[] = {
	"tls/openssl-sni",
	"tls/openssl-alpn",
	"tls/openssl-bare",
	"tls/openssl-tls1.2",
	"tls/openssl-fragments",
	"tls/curl",
	"http/curl",
	"http/curl-http1.0",
	"http/curl-proxy",
	"http/curl-connect",
	"http/curl-upgrade",
	"http2/curl",
	"ssh/openssh",
	"socks5/curl",
	"socks5/curl-user",
	"openvpn/tcp-plain",
	"openvpn/tcp-tls-auth",
	"openvpn/tcp-tls-crypt",
	"openvpn/tcp-tls-crypt-v2",
};

/* Its own recogniser knows each, and no other one does. */
START_TEST(captured_stream)
{
	const char *name = captured_streams[_i];
	struct fixture fixture;

	fixture_read(name, &fixture);
	for (const struct recogniser *const *at = recognisers; *at; at++) {
		size_t length = strlen((*at)->name);
		bool own = strncmp(name, (*at)->name, length) == 0 && name[length] == '/';
		enum verdict verdict;

		if (!(*at)->stream)
			continue;
		verdict = judge_stream((*at)->name, fixture.bytes, fixture.length);
		ck_assert_msg(verdict == (own ? MATCH : NO), "%s says %d about %s", (*at)->name,
			      verdict, name);
	}
}
END_TEST

static const char *const captured_datagrams[] = {
	"quic/kdig",
	"openvpn/udp-plain",
	"openvpn/udp-tls-auth",
	"openvpn/udp-tls-crypt",
	"openvpn/udp-tls-crypt-v2",
	"wireguard/wireguard-go",
};

START_TEST(captured_datagram)
{
	const char *name = captured_datagrams[_i];
	struct fixture fixture;

	fixture_read(name, &fixture);
	for (const struct recogniser *const *at = recognisers; *at; at++) {
		size_t length = strlen((*at)->name);
		bool own = strncmp(name, (*at)->name, length) == 0 && name[length] == '/';

		if ((*at)->datagram)
			ck_assert_msg((*at)->datagram(fixture.bytes, fixture.length) == own,
				      "%s is wrong about %s", (*at)->name, name);
	}
}
END_TEST

#define BYTES(text) text, sizeof text - 1

#define XMPP_NAMESPACES "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
#define RDP_REQUEST "\x01\0\x08\0\x03\0\0\0"

static const struct {
	const char *protocol;
	const char *data;
	size_t length;
	enum verdict verdict;
	size_t at; /* the byte that decides, counted from 1; 0 where none does */
} streams[] = {
	{"http2", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), MATCH, 24},
	{"http2", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r"), MORE, 0},
	{"http2", BYTES("PRI * HTTP/1.1\r\n"), NO, 12},
	{"http2", BYTES("POST"), NO, 2},

	{"ssh", BYTES("SSH-2.0-OpenSSH_9.2p1\r\n"), MATCH, 8},
	{"ssh", BYTES("SSH-1.99-x"), MATCH, 9},
	{"ssh", BYTES("SSH-1.5-x"), NO, 7},
	{"ssh", BYTES("SSH-2.1-x"), NO, 7},
	{"ssh", BYTES("ssh-2.0-"), NO, 1},
	{"ssh", BYTES("SSH-"), MORE, 0},
	{"ssh", BYTES(""), MORE, 0},

	{"socks5", BYTES("\x05\x01\x00"), MATCH, 3},
	{"socks5", BYTES("\x05\x02\x00"), MORE, 0},
	{"socks5", BYTES("\x05\x02\x00\x02"), MATCH, 4},
	{"socks5", BYTES("\x05\x02\x00\xff"), NO, 4},
	{"socks5", BYTES("\x05\x00"), NO, 2},
	{"socks5", BYTES("\x04\x01"), NO, 1},

	{"rdp", BYTES("\x03\0\0\x0b\x06\xe0\0\0\0\0\0"), MATCH, 11},
	{"rdp", BYTES("\x03\0\0\x13\x0e\xe0\0\0\0\0\0" RDP_REQUEST), MATCH, 12},
	{"rdp", BYTES("\x03\0\0\x2c\x27\xe0\0\0\0\0\0Cookie: mstshash=user\r\n" RDP_REQUEST), MATCH,
	 12},
	{"rdp", BYTES("\x03\0\0\x16\x11\xe0\0\0\0\x01\0\xc1\x02\x01\0\xc2\x02\x01\x02\xc0\x01\x0a"),
	 NO, 12},
	{"rdp", BYTES("\x03\0\0\x13\x0e\xe0\0\0\0\0\0"), MORE, 0},
	{"rdp", BYTES("\x03\0\0\x0a\x05\xe0"), NO, 4},
	{"rdp", BYTES("\x03\0\0\x13\x0d\xe0"), NO, 5},
	{"rdp", BYTES("\x03\0\0\x13\x0e\xd0"), NO, 6},
	{"rdp", BYTES("\x03\0\x02"), NO, 3},
	{"rdp", BYTES("\x03\x01"), NO, 2},
	{"rdp", BYTES("\x02"), NO, 1},

	{"xmpp", BYTES("<?xml version='1.0'?><stream:stream to='a' " XMPP_NAMESPACES ">"), MATCH,
	 112},
	{"xmpp", BYTES("<stream:stream " XMPP_NAMESPACES ">"), MATCH, 84},
	{"xmpp",
	 BYTES("<?xml version='1.0'?>\n<s:stream\nxmlns:s=\"http://etherx.jabber.org/streams\""),
	 MATCH, 74},
	{"xmpp", BYTES("<stream xmlns='http://etherx.jabber.org/streams'>"), MATCH, 48},
	{"xmpp", BYTES("<stream:stream to='http://etherx.jabber.org/streams/'>"), NO, 54},
	{"xmpp", BYTES("<stream:stream to='a>b' xmlns='jabber:client'>"), NO, 46},
	{"xmpp", BYTES("<upstream x"), NO, 10},
	{"xmpp", BYTES("<stream>"), NO, 8},
	{"xmpp", BYTES("<html xmlns='http://etherx.jabber.org/streams'>"), NO, 6},
	{"xmpp", BYTES("<!DOCTYPE"), NO, 2},
	{"xmpp", BYTES("\t<stream:stream "), NO, 1},
	{"xmpp", BYTES("<?php "), NO, 3},
	{"xmpp", BYTES("<?xml version='1.0'<"), NO, 20},
	{"xmpp", BYTES("<?xml version='1.0'?> \r\n"), MORE, 0},
	{"xmpp", BYTES("<stream:stream \0"), NO, 16},
	{"xmpp", BYTES("GET / HTTP/1.1"), NO, 1},

	{"openvpn", BYTES("\0\x0e\x38sessions\0\0\0\0\0"), MATCH, 16},
	{"openvpn", BYTES("\0\x0e\x38sessions\0\0\0\0\x01"), NO, 16},
	{"openvpn", BYTES("\0\x0e\x38\0\0\0\0\0\0\0\0"), NO, 11},
	{"openvpn", BYTES("\0\x2a\x38sessions"), MATCH, 11},
	{"openvpn", BYTES("\0\x0d"), NO, 2},
	{"openvpn", BYTES("\0\x81\x38"), NO, 3}, /* too long for V2 */
	{"openvpn", BYTES("\0\x35\x50"), NO, 3}, /* too short for V3 */
	{"openvpn", BYTES("\x04\x37"), NO, 2},
	{"openvpn", BYTES("\x05"), NO, 1},
	{"openvpn", BYTES("\0\x2a\x39"), NO, 3}, /* key id 1 */
	{"openvpn", BYTES("\0\x2a\x40"), NO, 3}, /* a server's reset */
	{"openvpn", BYTES("\0\x2a"), MORE, 0},
};

START_TEST(stream)
{
	const struct recogniser *recogniser = recogniser_find(streams[_i].protocol);
	enum verdict verdict =
		judge_stream(streams[_i].protocol, streams[_i].data, streams[_i].length);

	ck_assert_int_eq(verdict, streams[_i].verdict);
	if (verdict != MORE)
		ck_assert_uint_eq(
			decided_at(recogniser->stream, streams[_i].data, streams[_i].length),
			streams[_i].at);
}
END_TEST

/* Whoever never ends gets a NO, after no more than was promised. */
START_TEST(endless)
{
	static const struct {
		const char *protocol, *begin;
		char fill;
	} openings[] = {
		{"xmpp", "<?xml ", 'a'}, {"xmpp", "<stream:stream a='", 'a'},
		{"xmpp", "<", 'a'},      {"http", "G", 'E'},
		{"http", "GET /", 'a'},  {"tls", "\x16\x03\x01\x00\x01\x01", '\x16'},
	};
	struct fixture fixture = {.length = sizeof fixture.bytes};
	size_t unused;
	const struct recogniser *recogniser;

	for (size_t i = 0; i < sizeof openings / sizeof openings[0]; i++) {
		memset(fixture.bytes, openings[i].fill, fixture.length);
		memcpy(fixture.bytes, openings[i].begin, strlen(openings[i].begin));
		recogniser = recogniser_find(openings[i].protocol);
		ck_assert_int_eq(recogniser->stream(fixture.bytes, fixture.length, &unused), NO);
		ck_assert_int_eq(recogniser->stream(fixture.bytes, 1, &unused), MORE);
	}
}
END_TEST

START_TEST(table)
{
	for (const struct recogniser *const *at = recognisers; *at; at++) {
		ck_assert_ptr_eq(recogniser_find((*at)->name), *at);
		ck_assert((*at)->stream || (*at)->datagram);
	}
	ck_assert_ptr_null(recogniser_find("gopher"));
	ck_assert_ptr_null(recogniser_find(""));
}
END_TEST

static bool is_quic(const uint8_t *data, size_t length)
{
	return recogniser_find("quic")->datagram(data, length);
}

/* What RFC 8999, 9000 and 9369 let a client send first, and what not. */
START_TEST(quic)
{
	struct fixture initial;
	uint8_t *bytes = initial.bytes;

	fixture_read("quic/kdig", &initial);
	ck_assert(is_quic(bytes, initial.length));
	ck_assert(!is_quic(bytes, initial.length - 1)); /* short of 1200, and of its length */
	bytes[0] ^= 0x40;
	ck_assert(!is_quic(bytes, initial.length));
	bytes[0] ^= 0x40 | 0x80;
	ck_assert(!is_quic(bytes, initial.length));
	bytes[0] ^= 0x80 | 0x10; /* 0-RTT in version 1, Initial in version 2 */
	ck_assert(!is_quic(bytes, initial.length));
	memcpy(bytes + 1, "\x6b\x33\x43\xcf", 4);
	ck_assert(is_quic(bytes, initial.length));
	bytes[0] ^= 0x10;
	ck_assert(!is_quic(bytes, initial.length));
	memcpy(bytes + 1, "\x1a\x2a\x3a\x4a", 4); /* GREASE: to be negotiated */
	ck_assert(is_quic(bytes, initial.length));
	memcpy(bytes + 1, "\0\0\0\0", 4); /* a version negotiation is a server's */
	ck_assert(!is_quic(bytes, initial.length));
}
END_TEST

START_TEST(quic_lengths)
{
	struct fixture initial;
	uint8_t *bytes = initial.bytes;

	fixture_read("quic/kdig", &initial);
	for (unsigned dcid = 0; dcid <= 255; dcid++) {
		memset(bytes + 5, 0, initial.length - 5);
		bytes[5] = (uint8_t)dcid;
		bytes[6 + dcid] = 20;            /* SCID */
		bytes[6 + dcid + 21] = 0x05;     /* token */
		bytes[6 + dcid + 27] = 0x40 | 0; /* length */
		bytes[6 + dcid + 28] = 20;
		ck_assert_int_eq(is_quic(bytes, initial.length), dcid >= 8 && dcid <= 20);
	}
	memset(bytes + 5, 0, initial.length - 5);
	bytes[5] = 8;
	bytes[6 + 8] = 0;
	bytes[6 + 9] = 0;
	bytes[6 + 10] = 19; /* too short for a sample */
	ck_assert(!is_quic(bytes, initial.length));
	bytes[6 + 10] = 20;
	ck_assert(is_quic(bytes, initial.length));
	bytes[6 + 10] = 0x7f; /* longer than the datagram */
	bytes[6 + 11] = 0xff;
	ck_assert(!is_quic(bytes, initial.length));
	memset(bytes + 6 + 9, 0xff, 8); /* a token of 2^62 - 1 bytes */
	ck_assert(!is_quic(bytes, initial.length));
}
END_TEST

START_TEST(wireguard)
{
	const struct recogniser *recogniser = recogniser_find("wireguard");
	struct fixture initiation;

	fixture_read("wireguard/wireguard-go", &initiation);
	ck_assert(recogniser->datagram(initiation.bytes, initiation.length));
	ck_assert(!recogniser->datagram(initiation.bytes, initiation.length - 1));
	ck_assert(!recogniser->datagram(initiation.bytes, initiation.length + 1));
	ck_assert(!recogniser->datagram(initiation.bytes, 0));
	for (size_t i = 0; i < 4; i++) {
		initiation.bytes[i] ^= 3;
		ck_assert(!recogniser->datagram(initiation.bytes, initiation.length));
		initiation.bytes[i] ^= 3;
	}
}
END_TEST

START_TEST(openvpn_datagram)
{
	const struct recogniser *recogniser = recogniser_find("openvpn");
	struct fixture reset;

	fixture_read("openvpn/udp-plain", &reset);
	ck_assert(recogniser->datagram(reset.bytes, reset.length));
	ck_assert(!recogniser->datagram(reset.bytes, reset.length - 1));
	ck_assert(!recogniser->datagram(reset.bytes, 0));
	reset.bytes[13] = 1; /* not the first packet */
	ck_assert(!recogniser->datagram(reset.bytes, reset.length));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("recognise");

	tcase_add_loop_test(tests, captured_stream, 0,
			    sizeof captured_streams / sizeof captured_streams[0]);
	tcase_add_loop_test(tests, captured_datagram, 0,
			    sizeof captured_datagrams / sizeof captured_datagrams[0]);
	tcase_add_loop_test(tests, stream, 0, sizeof streams / sizeof streams[0]);
	tcase_add_test(tests, endless);
	tcase_add_test(tests, table);
	tcase_add_test(tests, quic);
	tcase_add_test(tests, quic_lengths);
	tcase_add_test(tests, wireguard);
	tcase_add_test(tests, openvpn_datagram);
	return run_case(tests, "recognise");
}
