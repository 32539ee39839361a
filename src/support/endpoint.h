/* endpoint.h - addresses as a configuration writes them: numeric, or with a host's name */
#ifndef SUPPORT_ENDPOINT_H
#define SUPPORT_ENDPOINT_H

#include "adopt/adopt.h"

/*
 * Judges an address's text without resolving anything: what
 * adopt_address_parse() reads, or `name:port`.
 * Returns 0; -EINVAL; -ENAMETOOLONG; -EAFNOSUPPORT; -ENODEV.
 */
int endpoint_check(const char *text);

/*
 * Turns an address's text into addresses, asking the system's resolver for a
 * name: this may block, so it is for the time before the loop runs.
 * type: SOCK_STREAM or SOCK_DGRAM, for the resolver.
 * ret: malloc'ed, the caller's; at least one, in the resolver's order.
 * Returns 0; what endpoint_check() returns; -EHOSTUNREACH if the name has no
 * address, -EAGAIN if the resolver could not say; -ENOMEM.
 */
int endpoint_resolve(const char *text, int type, struct adopt_address **ret, size_t *ret_count);

#endif
