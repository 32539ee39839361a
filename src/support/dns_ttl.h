/* dns_ttl.h - how long an answer of a name server may be used */
#ifndef SUPPORT_DNS_TTL_H
#define SUPPORT_DNS_TTL_H

#include <stddef.h>
#include <stdint.h>

/*
 * Finds the shortest time to live among the answers of a DNS message (RFC 1035,
 * section 4), which c-ares does not tell for SRV records.
 * data, length: the message as it came.
 * ret: in seconds; as RFC 2181, section 8 asks, one with the highest bit set is 0.
 * Returns 0; -EBADMSG if the message has no answer, or is malformed.
 */
int dns_ttl(const unsigned char *data, size_t length, uint32_t *ret);

#endif
