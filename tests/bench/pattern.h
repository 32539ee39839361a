/* pattern.h - bytes that tell where they belong, so that each can be checked */
#ifndef BENCH_PATTERN_H
#define BENCH_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A stream repeats itself after so many bytes: a prime, so that no block of a round size
 * that is lost or repeated goes unnoticed. */
#define PATTERN_BYTES 1048573

/* The first bytes of a message are its number. */
#define MESSAGE_MIN_BYTES 8
#define MESSAGE_MAX_BYTES 4096

/* Makes the pattern; before all else here. */
void pattern_init(void);

/*
 * The bytes of a stream.
 * stream: its number; each has bytes of its own.
 * position: how far into it.
 * Returns at least PATTERN_BYTES bytes from there on.
 */
const unsigned char *pattern_at(uint64_t stream, uint64_t position);

/* Writes message `number`, of so many bytes: 0, or at least MESSAGE_MIN_BYTES. */
void message_write(unsigned char *buffer, size_t size, uint64_t number);

/* Tells whether these are the bytes of that message. */
bool message_is(const unsigned char *buffer, size_t size, uint64_t number);

/* Returns the number that a message of at least MESSAGE_MIN_BYTES bears. */
uint64_t message_number(const unsigned char *buffer);

#endif
