/* pace.h - how often something happens, told without ever looking at a clock in between */
#ifndef SUPPORT_PACE_H
#define SUPPORT_PACE_H

#include <stdint.h>

/* The rate is that of about so long. */
#define PACE_WINDOW_MS 10000

/* Initialize with zeros. */
struct pace {
	uint64_t window; /* which one `present` is of, counted from the clock's zero */
	uint64_t present;
	uint64_t before; /* what happened in the window before */
};

/* It happens once. now_ms: a monotonic time. */
void pace_count(struct pace *pace, uint64_t now_ms);

/* Returns how often a second it has happened lately. */
double pace_per_second(const struct pace *pace, uint64_t now_ms);

#endif
