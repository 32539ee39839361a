#include "fuzz_verdict.h"
#include "routing/name_pattern.h"

#include <string.h>

/* The pattern, NUL, then a name. A pattern, read as a name, fits itself. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	char pattern[512];
	size_t pattern_length = 0;

	while (pattern_length < length && pattern_length < sizeof pattern - 1 &&
	       data[pattern_length] != '\0')
		pattern_length++;
	if (pattern_length > 0)
		memcpy(pattern, data, pattern_length);
	pattern[pattern_length] = '\0';
	if (name_pattern_problem(pattern))
		return 0;
	if (pattern_length < length)
		name_pattern_match(pattern, data + pattern_length + 1, length - pattern_length - 1);
	FUZZ_REQUIRE(name_pattern_match(pattern, data, pattern_length));
	return 0;
}
