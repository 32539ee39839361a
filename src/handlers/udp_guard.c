#include "udp_guard.h"

#include "support/keyed_hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS_PER_SECOND 1000
#define SOURCE_INTERVAL_MS (MS_PER_SECOND / UDP_GUARD_SOURCE_RATE)
#define TOTAL_INTERVAL_MS (MS_PER_SECOND / UDP_GUARD_TOTAL_RATE)

/* A bucket is the time up to which its replies are spent: each reply moves it on by
 * the rate's interval, and it must not run further ahead of the clock than a second
 * (the burst). */
struct udp_guard {
	struct hash_key key;
	uint64_t total_ms;
	uint64_t source_ms[UDP_GUARD_BUCKETS];
};

int udp_guard_new(struct udp_guard **ret)
{
	struct udp_guard *guard = calloc(1, sizeof *guard);

	if (!guard)
		return -ENOMEM;
	hash_key_init(&guard->key);
	*ret = guard;
	return 0;
}

void udp_guard_free(struct udp_guard **guard)
{
	free(*guard);
	*guard = NULL;
}

static bool is_udp(const struct adopt_address *peer)
{
	int family = adopt_address_family(peer);

	return family == AF_INET || family == AF_INET6;
}

size_t udp_guard_room(const struct adopt_datagram *request)
{
	return is_udp(request->peer) ? request->length : SIZE_MAX;
}

static bool has_address(const struct adopt_address *peer)
{
	if (adopt_address_family(peer) == AF_UNIX)
		return peer->length > offsetof(struct sockaddr_un, sun_path);
	return adopt_address_family(peer) != AF_UNSPEC;
}

static bool port_may_answer_back(unsigned port)
{
	static const unsigned ports[] = {0, 7, 13, 17, 19, 37, 53, 123};

	for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++)
		if (port == ports[i])
			return true;
	return false;
}

static uint64_t *bucket_of(struct udp_guard *guard, const struct adopt_address *peer)
{
	/* An IPv4 client of a dual-stack socket is the same source: its /64 would be
	   shared by all of them. */
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	const void *source = &peer->name.in.sin_addr;
	size_t length = sizeof peer->name.in.sin_addr;

	if (adopt_address_family(peer) == AF_INET6) {
		const unsigned char *bytes = peer->name.in6.sin6_addr.s6_addr;
		bool is_mapped = memcmp(bytes, mapped, sizeof mapped) == 0;

		source = is_mapped ? bytes + sizeof mapped : bytes;
		length = is_mapped ? 4 : 8;
	}
	return &guard->source_ms[keyed_hash(&guard->key, source, length) % UDP_GUARD_BUCKETS];
}

static uint64_t after_reply(uint64_t bucket_ms, uint64_t interval_ms, uint64_t now_ms)
{
	return (bucket_ms > now_ms ? bucket_ms : now_ms) + interval_ms;
}

/* Nothing is spent unless both buckets have it: refused requests cost nobody. */
static bool spend(uint64_t *source_ms, uint64_t *total_ms, uint64_t now_ms)
{
	uint64_t source = after_reply(*source_ms, SOURCE_INTERVAL_MS, now_ms);
	uint64_t total = after_reply(*total_ms, TOTAL_INTERVAL_MS, now_ms);

	if (source > now_ms + MS_PER_SECOND || total > now_ms + MS_PER_SECOND)
		return false;
	*source_ms = source;
	*total_ms = total;
	return true;
}

bool udp_guard_allows(struct udp_guard *guard, const struct adopt_datagram *request,
		      unsigned own_port, uint64_t now_ms)
{
	const struct adopt_address *peer = request->peer;
	unsigned port = adopt_address_port(peer);

	if (request->truncated || !has_address(peer))
		return false;
	if (!is_udp(peer))
		return true;
	if (port_may_answer_back(port) || port == own_port)
		return false;
	return spend(bucket_of(guard, peer), &guard->total_ms, now_ms);
}
