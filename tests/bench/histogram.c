/* Latencies, counted: 64 buckets between each power of two and the next. */
#include "histogram.h"

#include <stddef.h>

#define SUB_BITS 6
#define SUB_COUNT (1 << SUB_BITS)

static size_t bucket_of(uint64_t ns)
{
	unsigned shift;
	size_t bucket;

	if (ns < SUB_COUNT)
		return (size_t)ns;
	shift = (unsigned)(63 - __builtin_clzll(ns)) - SUB_BITS;
	bucket = (size_t)(shift + 1) * SUB_COUNT + ((ns >> shift) & (SUB_COUNT - 1));
	return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The middle of a bucket. */
static uint64_t value_of(size_t bucket)
{
	unsigned shift;

	if (bucket < SUB_COUNT)
		return bucket;
	shift = (unsigned)(bucket / SUB_COUNT - 1);
	return ((uint64_t)(SUB_COUNT + bucket % SUB_COUNT) << shift) + (1ULL << shift) / 2;
}

void histogram_add(struct histogram *histogram, uint64_t ns)
{
	histogram->counts[bucket_of(ns)]++;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->counts[i] += from->counts[i];
}

uint64_t histogram_quantile(const struct histogram *histogram, double share)
{
	uint64_t total = 0, below = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		total += histogram->counts[i];
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		below += histogram->counts[i];
		if (total > 0 && (double)below >= share * (double)total)
			return value_of(i);
	}
	return 0;
}
