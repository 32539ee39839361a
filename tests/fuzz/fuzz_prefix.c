#include "fuzz_verdict.h"
#include "routing/prefix.h"

#include <string.h>

static struct prefix prefix;

static enum verdict judge(const uint8_t *data, size_t length, size_t *ret_needed)
{
	return prefix_match(&prefix, data, length, ret_needed);
}

/* The pattern, NUL, then what may start with it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	char text[2048], problem[PREFIX_PROBLEM_SIZE] = "";
	size_t text_length = 0;

	while (text_length < length && text_length < sizeof text - 1 && data[text_length] != '\0')
		text_length++;
	if (text_length > 0)
		memcpy(text, data, text_length);
	text[text_length] = '\0';
	if (prefix_parse(text, &prefix, problem) < 0) {
		FUZZ_REQUIRE(problem[0] != '\0' && memchr(problem, '\0', sizeof problem));
		return 0;
	}
	FUZZ_REQUIRE(prefix.length > 0 && prefix.length <= text_length);
	FUZZ_REQUIRE(fuzz_verdict(judge, prefix.length, prefix.bytes, prefix.length) ==
		     VERDICT_MATCH);
	if (text_length < length)
		fuzz_verdict(judge, prefix.length, data + text_length + 1,
			     length - text_length - 1);
	return 0;
}
