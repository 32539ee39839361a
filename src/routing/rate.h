/*
 * rate.h - how often each source may come
 *
 * A token bucket a source: it holds as many connections as the rate counts, is full
 * for who comes for the first time, and is refilled evenly. The buckets are bounded:
 * full ones are forgotten by and by, and past RATES_MAX_SOURCES the one that was
 * asked for longest ago.
 */
#ifndef ROUTING_RATE_H
#define ROUTING_RATE_H

#include "source.h"

#include <stddef.h>
#include <stdint.h>

#define RATES_MAX_SOURCES 65536

/* The largest count and the longest time of a rate. */
#define RATE_MAX_COUNT 1000000
#define RATE_MAX_MS (60 * 60 * 1000)

struct rates;

/*
 * Creates the buckets of a rate, with a random hash key.
 * count: connections, 1 to RATE_MAX_COUNT; per_ms: 1 to RATE_MAX_MS.
 * ret: free with rates_free().
 * Returns 0 or -ENOMEM.
 */
int rates_new(uint64_t count, uint64_t per_ms, struct rates **ret);

/* Frees buckets and sets them NULL; NULL inside is harmless. */
void rates_free(struct rates **rates);

/*
 * Takes one connection from a source's bucket.
 * now_ms: a monotonic time.
 * Returns 0; -EBUSY if the bucket has none, which costs nothing; -ENOMEM.
 */
int rates_spend(struct rates *rates, const struct source *source, uint64_t now_ms);

/* Returns how many sources have a bucket. */
size_t rates_sources(const struct rates *rates);

#endif
