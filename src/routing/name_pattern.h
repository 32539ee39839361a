/* name_pattern.h - patterns for the names of hosts, as `sni` and `host` have them */
#ifndef ROUTING_NAME_PATTERN_H
#define ROUTING_NAME_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Judges a pattern: a name, an address (IPv6 in brackets), or `*.` and a name.
 * Returns NULL where it is valid, else what is wrong with it and what would be
 * right, for a person; static.
 */
const char *name_pattern_problem(const char *pattern);

/*
 * Tells whether a name fits a pattern: letter by letter, in any case, without
 * regard to a dot at the end of either. `*.example.org` takes what lies below
 * example.org, at any depth, and not example.org itself.
 * pattern: a valid one.
 * name, length: as a client sent it.
 */
bool name_pattern_match(const char *pattern, const uint8_t *name, size_t length);

#endif
