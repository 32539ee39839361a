/* verdicts.h - that whoever judges first bytes keeps to the rules of verdict.h */
#ifndef VERDICTS_H
#define VERDICTS_H

#include "support/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum verdict (*judge_fn)(const uint8_t *data, size_t length, size_t *ret_needed);

/*
 * Has beginnings of some bytes judged, each in memory of exactly its own size.
 * max_needed: what the judge may ask for at the most.
 * every: all beginnings; else the shortest, the first that the judge asks for, and
 * samples of the rest.
 * ret: the verdict on all of the bytes.
 * Returns which rule is broken, or NULL.
 */
const char *verdicts_problem(judge_fn judge, size_t max_needed, const uint8_t *data, size_t length,
			     bool every, enum verdict *ret);

#endif
