/*
 * udp_guard.h - whom a small service may answer over UDP
 *
 * Source addresses of datagrams are easily forged. So that the small services
 * serve neither as an amplifier nor as one end of an endless conversation, each
 * reply is asked for here (CVE-1999-0103, CVE-2024-2169). UNIX peers cannot be
 * forged and are not limited.
 */
#ifndef HANDLERS_UDP_GUARD_H
#define HANDLERS_UDP_GUARD_H

#include "adopt/adopt.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Replies a second to one source (an IPv4 address, an IPv6 /64), and to all
 * together, for each datagram port; as many may come in one burst. Sources
 * share UDP_GUARD_BUCKETS buckets by a keyed hash, so memory is fixed.
 */
#define UDP_GUARD_SOURCE_RATE 100
#define UDP_GUARD_TOTAL_RATE 1000
#define UDP_GUARD_BUCKETS 1024

struct udp_guard;

/* Creates a guard, with a random key. ret: free with udp_guard_free(). Returns 0 or
 * -ENOMEM. */
int udp_guard_new(struct udp_guard **ret);

/* Frees a guard and sets it NULL; NULL inside is harmless. */
void udp_guard_free(struct udp_guard **guard);

/* Returns how many bytes a reply to a datagram may have: over UDP never more than
 * the request, else as many as one likes (SIZE_MAX). */
size_t udp_guard_room(const struct adopt_datagram *request);

/*
 * Tells whether a datagram may be answered now, and if so counts the answer.
 * Not answered are requests that were cut, peers without an address, and, over
 * UDP, port 0, the ports of services that would answer in turn (7, 13, 17, 19,
 * 37, 53, 123, and own_port), and sources over their rate.
 * own_port: the port that the request came in on; 0 where there is none.
 * now_ms: a monotonic time.
 */
bool udp_guard_allows(struct udp_guard *guard, const struct adopt_datagram *request,
		      unsigned own_port, uint64_t now_ms);

#endif
