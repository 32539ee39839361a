/* histogram.h - latencies, counted in buckets that are 1.6% wide */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

/* Up to 2^41 ns, which is half an hour. */
#define HISTOGRAM_BUCKETS (36 * 64)

/* Zero is an empty one. */
struct histogram {
	uint64_t counts[HISTOGRAM_BUCKETS];
};

/* Counts one latency; what is longer than half an hour counts as that. */
void histogram_add(struct histogram *histogram, uint64_t ns);

/* Adds all that another has counted. */
void histogram_merge(struct histogram *into, const struct histogram *from);

/*
 * Returns the latency, in nanoseconds, that a share of all latencies does not exceed:
 * 0.5 gives the median. 0 where nothing was counted.
 */
uint64_t histogram_quantile(const struct histogram *histogram, double share);

#endif
