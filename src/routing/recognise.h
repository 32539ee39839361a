/*
 * recognise.h - which protocol the first bytes belong to
 *
 * A protocol is one file and one `const struct recogniser`, listed in
 * recognise.c. Recognisers are pure functions on bytes: they know no sockets.
 */
#ifndef ROUTING_RECOGNISE_H
#define ROUTING_RECOGNISE_H

#include "support/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What anything in this room may ask for at the most, in bytes: a ClientHello
 * of 16 KiB with the headers of its records. */
#define RECOGNISE_MAX_BYTES (20 * 1024)

struct recogniser {
	/* What the configuration calls the protocol. */
	const char *name;

	/*
	 * Judges the first bytes of a stream, as verdict.h says, and asks for no more
	 * than RECOGNISE_MAX_BYTES. NULL for a protocol that has no streams.
	 */
	enum verdict (*stream)(const uint8_t *data, size_t length, size_t *ret_needed);

	/*
	 * Judges the first datagram of a client, which is whole. NULL for a protocol
	 * that has no datagrams.
	 */
	bool (*datagram)(const uint8_t *data, size_t length);
};

/* All recognisers, ended by NULL. */
extern const struct recogniser *const recognisers[];

/* Finds a recogniser by name. Returns it or NULL. */
const struct recogniser *recogniser_find(const char *name);

/*
 * Judges whether bytes begin with fixed ones; asks for `literal_length` bytes at
 * the most, and says no at the first that differs.
 */
enum verdict recognise_literal(const uint8_t *data, size_t length, const void *literal,
			       size_t literal_length, size_t *ret_needed);

extern const struct recogniser recogniser_http, recogniser_http2, recogniser_openvpn,
	recogniser_quic, recogniser_rdp, recogniser_socks5, recogniser_ssh, recogniser_tls,
	recogniser_wireguard, recogniser_xmpp;

#endif
