/* vsock.h - addresses of AF_VSOCK; without them, everything says no */
#ifndef ADOPT_VSOCK_H
#define ADOPT_VSOCK_H

#include "adopt.h"

/* Tells whether an address family is AF_VSOCK. */
bool vsock_is_family(int family);

/* Fills in an address. Returns 0, or -EAFNOSUPPORT where there is no VSOCK. */
int vsock_set(struct adopt_address *address, uint32_t cid, uint32_t port);

/* Tells an address's parts; only for addresses of that family. */
uint32_t vsock_cid(const struct adopt_address *address);
uint32_t vsock_port(const struct adopt_address *address);

#endif
