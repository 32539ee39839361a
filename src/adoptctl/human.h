/* human.h - numbers of an answer, as people read them */
#ifndef ADOPTCTL_HUMAN_H
#define ADOPTCTL_HUMAN_H

#include <jansson.h>

/* Room for any of these texts. */
#define HUMAN_SIZE 64

/* Each writes what a member of an answer says, and returns text: `-` where there is no such
 * member, or it is null. */

/* A number of bytes: 517, 17.8K, 1.2G. */
const char *human_bytes(const json_t *object, const char *member, char text[HUMAN_SIZE]);

/* A time in milliseconds: 250ms, 12s, 3m05s, 2h10m, 5d03h. */
const char *human_span(const json_t *object, const char *member, char text[HUMAN_SIZE]);

/* A plain number. */
const char *human_number(const json_t *object, const char *member, char text[HUMAN_SIZE]);

/* How often a second: 0, 0.4, 17. */
const char *human_rate(const json_t *object, const char *member, char text[HUMAN_SIZE]);

/* Numbers of workers: 0-3, or 0,2. */
const char *human_list(const json_t *object, const char *member, char text[HUMAN_SIZE]);

/* A time of day, to the second: 2026-11-25 21:40:54Z. */
const char *human_time(const json_t *object, const char *member, char text[HUMAN_SIZE]);

/* The text that a member is, which is the object's. */
const char *human_text(const json_t *object, const char *member);

#endif
