/* value.h - the values that a configuration is written in */
#ifndef SUPPORT_VALUE_H
#define SUPPORT_VALUE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reads a duration: a decimal number with one of the units ms, s, m, h, or a
 * bare `0` for never.
 * ret_ms: in milliseconds.
 * Returns 0; -EINVAL if it is written differently; -ERANGE if it exceeds a year.
 */
int value_duration(const char *text, uint64_t *ret_ms);

/*
 * Reads a size: a decimal number of bytes, with K, M or G for powers of 1024.
 * Returns 0; -EINVAL; -ERANGE if it does not fit.
 */
int value_size(const char *text, size_t *ret_bytes);

/*
 * Reads a plain decimal number from min to max.
 * Returns 0; -EINVAL; -ERANGE.
 */
int value_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret);

/*
 * Finds the word of a list that a mistyped one was probably meant to be.
 * words: NULL-terminated.
 * Returns one of them, or NULL where none is near (more than a third of the
 * letters differ, a swap of two neighbours counting as one).
 */
const char *value_suggest(const char *text, const char *const *words);

#endif
