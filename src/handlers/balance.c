#include "balance.h"

#include "support/keyed_hash.h"
#include "support/logarithm.h"

#include <string.h>

static bool was_tried(const struct balance_client *client, const struct upstream *upstream)
{
	for (size_t i = 0; i < client->tried_count; i++)
		if (client->tried[i] == upstream)
			return true;
	return false;
}

static bool may_be_chosen(const struct balance_client *client, const struct upstream *upstream)
{
	if (client->beside && upstream->origin != client->beside->origin)
		return false;
	return !was_tried(client, upstream);
}

/* Which group an upstream is in: the lowest rank that is there is chosen from. */
static uint64_t rank(const struct balance_client *client, const struct upstream *upstream)
{
	uint64_t failed = !upstream_usable(upstream, client->now_ms);
	uint64_t same_family = client->beside && adopt_address_family(&client->beside->address) ==
							 adopt_address_family(&upstream->address);

	return failed << 33 | (uint64_t)upstream->priority << 1 | same_family;
}

static const unsigned char mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

/* The bytes of a client's host, the same for a mapped IPv4 address. */
static size_t host_bytes(const struct adopt_address *address, const unsigned char **ret)
{
	switch (adopt_address_family(address)) {
	case AF_INET:
		*ret = (const unsigned char *)&address->name.in.sin_addr;
		return 4;
	case AF_INET6:
		*ret = address->name.in6.sin6_addr.s6_addr;
		if (memcmp(*ret, mapped_prefix, sizeof mapped_prefix) != 0)
			return 16;
		*ret += sizeof mapped_prefix;
		return 4;
	default:
		return 0;
	}
}

/* The weighted form of rendezvous hashing: the highest score wins. The key is fixed, so
 * that restarts, workers and machines agree. */
static double score(const struct upstream *upstream, const unsigned char *host, size_t host_length)
{
	static const struct hash_key key = {{0x61646f7074647570, 0x73747265616d7321}};
	unsigned char bytes[16 + sizeof upstream->address.name];
	double part;

	memcpy(bytes, host, host_length);
	memcpy(bytes + host_length, &upstream->address.name, upstream->address.length);
	part = ((double)(keyed_hash(&key, bytes, host_length + upstream->address.length) >> 11) +
		0.5) *
	       0x1p-53;
	return -(double)upstream->weight / logarithm(part);
}

static bool fewer(const struct upstream *a, const struct upstream *b)
{
	return (uint64_t)upstream_active(a) * b->weight < (uint64_t)upstream_active(b) * a->weight;
}

/* Tells whether `a` goes before `b` of the same rank. */
static bool better(enum balance balance, const struct balance_client *client,
		   const struct upstream *a, const struct upstream *b)
{
	const unsigned char *host;
	size_t length;

	switch (balance) {
	case BALANCE_LEAST_CONNECTIONS:
		if (fewer(a, b) || fewer(b, a))
			return fewer(a, b);
		break;
	case BALANCE_SOURCE_HASH:
		length = host_bytes(client->address, &host);
		if (length > 0)
			return score(a, host, length) > score(b, host, length);
		break;
	case BALANCE_ROUND_ROBIN:
		break;
	}
	return a->credit + a->weight > b->credit + b->weight;
}

/* Who was chosen pays for a whole round what each has been given: over time each gets
 * turns by its weight, spread evenly. */
static void settle_credits(struct upstream *const *upstreams, size_t count,
			   const struct balance_client *client, struct upstream *chosen)
{
	uint64_t chosen_rank = rank(client, chosen);

	for (size_t i = 0; i < count; i++) {
		struct upstream *upstream = upstreams[i];

		if (!may_be_chosen(client, upstream) || rank(client, upstream) != chosen_rank)
			continue;
		upstream->credit += upstream->weight;
		chosen->credit -= upstream->weight;
	}
}

struct upstream *balance_choose(enum balance balance, struct upstream *const *upstreams,
				size_t count, const struct balance_client *client)
{
	struct upstream *best = NULL;

	for (size_t i = 0; i < count; i++) {
		struct upstream *upstream = upstreams[i];
		uint64_t this_rank, best_rank;

		if (!may_be_chosen(client, upstream))
			continue;
		this_rank = rank(client, upstream);
		best_rank = best ? rank(client, best) : UINT64_MAX;
		if (this_rank < best_rank ||
		    (this_rank == best_rank && better(balance, client, upstream, best)))
			best = upstream;
	}
	if (best)
		settle_credits(upstreams, count, client, best);
	return best;
}
