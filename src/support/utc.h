/* utc.h - a time of day as text: RFC 3339 */
#ifndef SUPPORT_UTC_H
#define SUPPORT_UTC_H

#include <time.h>

#define UTC_TEXT_SIZE 40

/* Writes a time with its microseconds, such as 2026-11-25T21:40:54.753659Z. Returns text. */
char *utc_format(const struct timespec *time, char text[UTC_TEXT_SIZE]);

#endif
