/* kept_address.h - an address as each connection keeps it, in little room */
#ifndef ADOPT_KEPT_ADDRESS_H
#define ADOPT_KEPT_ADDRESS_H

#include "adopt.h"

/* An address: here, where most fit, or else apart. Initialize with zeros: not known. */
struct kept_address {
	unsigned char bytes[sizeof(struct sockaddr_in6)];
	socklen_t length;
};

/* Keeps an address in place of the one kept before. Returns 0, or -ENOMEM, in which case
 * that one stays. */
int address_keep(struct kept_address *kept, const struct adopt_address *address);

/* Tells it: its own bytes, and its length. */
void address_kept(const struct kept_address *kept, struct adopt_address *ret);

/* Forgets it. */
void address_forget(struct kept_address *kept);

#endif
