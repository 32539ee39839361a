/* clock.h - how the services daytime and time write the time */
#ifndef HANDLERS_CLOCK_H
#define HANDLERS_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * Writes a time as a line, always in English and in UTC: `Sunday, November 22,
 * 2026 22:41:03-UTC` with CR and LF (the usual form of RFC 867, which fixes none).
 * text, size: where the line goes; 64 bytes are enough.
 * Returns its length; 0 where the year is beyond what can be written.
 */
size_t daytime_format(time_t now, char *text, size_t size);

/* Tells the seconds since 1900-01-01 00:00 UTC modulo 2^32, so from zero again in
 * 2036 (RFC 868). */
uint32_t time_since_1900(time_t now);

#endif
