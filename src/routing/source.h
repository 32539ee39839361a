/* source.h - who a connection is counted for: an IPv4 address or an IPv6 /64 */
#ifndef ROUTING_SOURCE_H
#define ROUTING_SOURCE_H

#include "adopt/adopt.h"

#include <stdbool.h>
#include <stdint.h>

/* Equal sources have equal bytes, all of them: it may be hashed as it is. */
struct source {
	uint8_t length; /* how many of the bytes count: 4 or 8 */
	uint8_t bytes[8];
};

/*
 * Finds the source of a peer. One customer has a whole IPv6 /64, so that is one
 * source; an IPv4 address that came over an IPv6 socket is an IPv4 source.
 * Returns whether there is one: UNIX and VSOCK peers have none, unknown ones neither.
 */
bool source_of(const struct adopt_address *peer, struct source *ret);

#endif
