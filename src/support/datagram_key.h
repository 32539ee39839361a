/* datagram_key.h - whose a datagram is: its two ends, as bytes that can be hashed */
#ifndef SUPPORT_DATAGRAM_KEY_H
#define SUPPORT_DATAGRAM_KEY_H

#include "adopt/adopt.h"

#include <stddef.h>

struct datagram_key {
	size_t length; /* of the bytes that are used */
	unsigned char bytes[2 * sizeof(struct sockaddr_storage)];
};

/* Makes the key of a datagram: datagrams that came to one port have the same if they came
 * from the same address to the same one. */
void datagram_key_make(const struct adopt_datagram *datagram, struct datagram_key *ret);

/* Returns how many of the first, at least 1, have the same key and are all cut, or all whole.
 * count: of all, at least 1. */
size_t datagram_key_run(const struct adopt_datagram *datagrams, size_t count);

#endif
