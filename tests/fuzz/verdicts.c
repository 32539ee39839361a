#include "verdicts.h"

#include <stdlib.h>
#include <string.h>

#define UNTOUCHED SIZE_MAX
/* Where not every beginning is judged: all up to here, ... */
#define SHORT_BYTES 8
/* ... so many of those that are asked for, since judging is quadratic, ... */
#define WALK_STEPS 64
/* ... and one in so many of the rest. */
#define SAMPLE_EVERY 251

/* In memory of its own, so that AddressSanitizer sees the first byte beyond. */
static enum verdict ask(judge_fn judge, const uint8_t *data, size_t length, size_t *ret_needed)
{
	uint8_t *copy = malloc(length > 0 ? length : 1);
	enum verdict verdict;

	if (!copy)
		abort();
	if (length > 0)
		memcpy(copy, data, length);
	*ret_needed = UNTOUCHED;
	verdict = judge(copy, length, ret_needed);
	free(copy);
	return verdict;
}

const char *verdicts_problem(judge_fn judge, size_t max_needed, const uint8_t *data, size_t length,
			     bool every, enum verdict *ret)
{
	enum verdict last = VERDICT_MORE;
	size_t asked_for = 0, steps = 0, needed;

	for (size_t at = 0; at <= length; at++) {
		enum verdict verdict;

		if (!every && at > SHORT_BYTES && (at != asked_for || ++steps > WALK_STEPS) &&
		    at != length && at % SAMPLE_EVERY != 0)
			continue;
		verdict = ask(judge, data, at, &needed);
		if (last != VERDICT_MORE && verdict != last)
			return "a verdict that was final has changed";
		if (verdict != VERDICT_MORE && needed != UNTOUCHED)
			return "a final verdict asks for bytes";
		if (verdict == VERDICT_MORE && needed <= at)
			return "asks for no more than there is";
		if (verdict == VERDICT_MORE && needed > max_needed)
			return "asks for more than its bound";
		if (verdict != VERDICT_MORE && at < asked_for)
			return "a verdict came before the bytes that were asked for";
		if (verdict == VERDICT_MORE)
			asked_for = needed;
		last = verdict;
	}
	*ret = last;
	return NULL;
}
