/*
 * proxy_protocol.h - the header in which a proxy tells who its client is
 *
 * "The PROXY protocol", versions 1 and 2, as HAProxy's doc/proxy-protocol.txt
 * has it. Pure functions on bytes.
 */
#ifndef SUPPORT_PROXY_PROTOCOL_H
#define SUPPORT_PROXY_PROTOCOL_H

#include "adopt/adopt.h"
#include "verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest headers that are accepted; for version 1 the specification's. */
#define PROXY_PROTOCOL_V1_MAX_BYTES 107
#define PROXY_PROTOCOL_MAX_BYTES (16 * 1024)

/* The longest header that is written: two UNIX paths. */
#define PROXY_PROTOCOL_WRITE_BYTES 232

struct proxy_protocol_header {
	size_t length; /* in bytes, TLVs included: exactly these are to be taken */
	/* LOCAL, UNKNOWN or UNSPEC: the socket's own addresses stay, and those here
	 * are not known. */
	bool local;
	int type; /* SOCK_STREAM, SOCK_DGRAM; 0 where local */
	struct adopt_address source;
	struct adopt_address destination;
};

/*
 * Reads the header at the start of a stream, as verdict.h says; asks for
 * PROXY_PROTOCOL_MAX_BYTES at the most.
 * ret: after MATCH, else untouched. TLVs are skipped by their length; a
 * checksum among them is verified.
 * NO: no header, a malformed or damaged one, or one that is too long.
 */
enum verdict proxy_protocol_read(const uint8_t *data, size_t length,
				 struct proxy_protocol_header *ret, size_t *ret_needed);

/*
 * Write a header, without TLVs. Of an IPv4 and an IPv6 address the former is
 * mapped; mapped ones without an unmapped beside them become IPv4; of an IP
 * source, a destination that is none is told as 0.0.0.0 or ::. What a version
 * cannot express is written as UNKNOWN (version 1: all but TCP) or as LOCAL,
 * which more readers take than UNSPEC.
 * header: `length` is not looked at.
 * buffer: no NUL is added.
 * Return the header's length.
 */
size_t proxy_protocol_write_v1(const struct proxy_protocol_header *header,
			       uint8_t buffer[PROXY_PROTOCOL_WRITE_BYTES]);
size_t proxy_protocol_write_v2(const struct proxy_protocol_header *header,
			       uint8_t buffer[PROXY_PROTOCOL_WRITE_BYTES]);

#endif
