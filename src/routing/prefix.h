/* prefix.h - the bytes that `starts-with` asks for */
#ifndef ROUTING_PREFIX_H
#define ROUTING_PREFIX_H

#include "support/verdict.h"

#include <stddef.h>
#include <stdint.h>

#define PREFIX_MAX_BYTES 256

struct prefix {
	size_t length; /* 1 to PREFIX_MAX_BYTES */
	uint8_t bytes[PREFIX_MAX_BYTES];
};

/* Room for what prefix_parse() has to say. */
#define PREFIX_PROBLEM_SIZE 128

/*
 * Reads a pattern: bytes as they stand, and `\xNN` (two hexadecimal digits),
 * `\r`, `\n`, `\t`, `\0`, `\\`.
 * problem: where it is not valid, what is wrong and what would be right, for a
 * person.
 * Returns 0 or -EINVAL.
 */
int prefix_parse(const char *text, struct prefix *ret, char problem[PREFIX_PROBLEM_SIZE]);

/* Judges, as verdict.h says, whether bytes begin with a prefix; asks for its
 * length at the most. */
enum verdict prefix_match(const struct prefix *prefix, const uint8_t *data, size_t length,
			  size_t *ret_needed);

#endif
