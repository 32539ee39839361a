/* fuzz_verdict.h - fuzzing whoever judges first bytes */
#ifndef FUZZ_VERDICT_H
#define FUZZ_VERDICT_H

#include "verdicts.h"

/* What libFuzzer calls; each target defines it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* Aborts with a message if a judge breaks a rule of verdict.h on an input. */
enum verdict fuzz_verdict(judge_fn judge, size_t max_needed, const uint8_t *data, size_t length);

/* Aborts unless a condition holds; not left out by NDEBUG. */
#define FUZZ_REQUIRE(condition) fuzz_require((condition), #condition)
void fuzz_require(bool holds, const char *text);

/* Returns the lowest number that no descriptor has: the same before and after, where none
 * stays behind. */
int fuzz_lowest_free(void);

/*
 * Fuzzes the recogniser of a protocol, its streams and its datagrams, which are
 * judged in memory of exactly their size. Returns 0.
 */
int fuzz_recogniser(const char *protocol, const uint8_t *data, size_t length);

#endif
