/* repeats.h - lines that come again and again in quick succession, told once a second */
#ifndef SUPPORT_REPEATS_H
#define SUPPORT_REPEATS_H

#include <stdbool.h>
#include <stdint.h>

/* Lines are compared up to this length, their NUL included. */
#define REPEATS_BYTES 1024

/* So many different lines of the last second are remembered; more are told each time. */
#define REPEATS_LINES 16

#define REPEATS_INTERVAL_MS 1000

struct repeats_line {
	bool used;
	uint64_t told_ms;
	unsigned held; /* so often it has come since */
	int level;
	char text[REPEATS_BYTES];
};

/* Initialize with zeros. */
struct repeats {
	struct repeats_line lines[REPEATS_LINES];
	unsigned holding; /* how many lines have been held back */
};

/*
 * Judges a line that comes.
 * now_ms: a monotonic time.
 * Returns whether it is to be told now; else it is held back, and counted.
 */
bool repeats_tell(struct repeats *repeats, int level, const char *text, uint64_t now_ms);

/*
 * Takes a line whose repeats are to be told now: a second has passed since it was told,
 * or `all` are asked for.
 * ret: a copy; `held` says how many.
 * Returns whether there is one.
 */
bool repeats_take(struct repeats *repeats, bool all, uint64_t now_ms, struct repeats_line *ret);

#endif
