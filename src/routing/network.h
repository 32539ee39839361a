/* network.h - sets of peers, as `source`, `allow`, `deny` and `accept-proxy` have them */
#ifndef ROUTING_NETWORK_H
#define ROUTING_NETWORK_H

#include "adopt/adopt.h"

#include <stdbool.h>
#include <stdint.h>

struct network {
	int family;          /* AF_INET, AF_INET6; AF_UNIX for all UNIX addresses */
	unsigned bits;       /* how many of the address count */
	uint8_t address[16]; /* in network order; the first 4 for AF_INET */
};

/* Room for what network_parse() has to say. */
#define NETWORK_PROBLEM_SIZE 160

/*
 * Reads a network: `10.0.0.0/8`, `2001:db8::/32`, a bare address for itself
 * alone, or `unix` for everybody who comes by a UNIX socket.
 * problem: where it is not valid, what is wrong and what would be right, for a
 * person.
 * Returns 0 or -EINVAL.
 */
int network_parse(const char *text, struct network *ret, char problem[NETWORK_PROBLEM_SIZE]);

/*
 * Tells whether an address lies in a network. An IPv4 address that came over an
 * IPv6 socket (::ffff:a.b.c.d) is an IPv4 address.
 */
bool network_contains(const struct network *network, const struct adopt_address *address);

/* Tells whether two addresses are the same, ports included, in the sense of
 * network_contains(); else as adopt_address_equal(). */
bool network_same_address(const struct adopt_address *a, const struct adopt_address *b);

/* Tells whether all that lies in `narrow` lies in `wide`. */
bool network_covers(const struct network *wide, const struct network *narrow);

/*
 * Finds the bytes of an IPv4 or IPv6 address; in an IPv4 address that came over an
 * IPv6 socket, the four of IPv4.
 * ret: points into the address; untouched for other families.
 * Returns the family that the bytes are of, or the address's own.
 */
int network_address_bytes(const struct adopt_address *address, const uint8_t **ret);

#endif
