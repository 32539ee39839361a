/* fixture.h - captured bytes, and verdicts on all of their beginnings */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "verdicts.h"

#include <check.h>

#define FIXTURE_MAX_BYTES 32768

struct fixture {
	size_t length;
	uint8_t bytes[FIXTURE_MAX_BYTES];
};

/* Reads a file of tests/fuzz/corpus, such as `tls/curl`; fails the test without it. */
void fixture_read(const char *name, struct fixture *ret);

/* Has every beginning of some bytes judged, as verdicts_problem() does, and fails
 * the test if a rule is broken. Returns the verdict on all of them. */
enum verdict judge_all(judge_fn judge, size_t max_needed, const void *data, size_t length);

/* Returns how many bytes the verdict needed: the first beginning that has it. */
size_t decided_at(judge_fn judge, const void *data, size_t length);

/* Runs a suite of one case. Returns the exit code for main(). */
int run_case(TCase *tests, const char *name);

#endif
