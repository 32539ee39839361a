/* tls.h - what a TLS ClientHello asks for */
#ifndef ROUTING_TLS_H
#define ROUTING_TLS_H

#include "recognise.h"

/* The longest ClientHello that is looked at, its handshake header included. */
#define CLIENT_HELLO_MAX_BYTES (16 * 1024)

/* A whole ClientHello. The pointers lead into `bytes`, so it must not be copied. */
struct client_hello {
	const uint8_t *server_name; /* server_name's host_name; NULL where there is none */
	size_t server_name_length;
	const uint8_t *alpn; /* ALPN's list as sent, its lengths right; NULL where there is none */
	size_t alpn_length;
	uint8_t bytes[CLIENT_HELLO_MAX_BYTES]; /* put together from its records */
};

/*
 * Reads a ClientHello of TLS 1.0 to 1.3 from the first bytes of a stream, which
 * may spread over any number of records. (RFC 8446, sections 4.1.2 and 5.1; RFC
 * 6066, section 3; RFC 7301, section 3.1.) Judges as verdict.h says, asking for
 * RECOGNISE_MAX_BYTES at the most:
 * MATCH: the whole of it is in ret;
 * NO: it is something else, SSL 2 and 3 included, malformed, or too long.
 * ret: scratch in between, to be read after MATCH only.
 */
enum verdict client_hello_read(const uint8_t *data, size_t length, struct client_hello *ret,
			       size_t *ret_needed);

/*
 * Tells whether a ClientHello offers an application protocol.
 * protocol: its name as registered: `h2`, `http/1.1`.
 */
bool client_hello_offers(const struct client_hello *hello, const char *protocol);

#endif
