#include "fuzz_verdict.h"

#include "routing/recognise.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum verdict fuzz_verdict(judge_fn judge, size_t max_needed, const uint8_t *data, size_t length)
{
	enum verdict verdict = VERDICT_NO;
	const char *problem = verdicts_problem(judge, max_needed, data, length, false, &verdict);

	fuzz_require(!problem, problem);
	return verdict;
}

void fuzz_require(bool holds, const char *text)
{
	if (holds)
		return;
	fprintf(stderr, "broken: %s\n", text);
	abort();
}

int fuzz_lowest_free(void)
{
	int fd = fcntl(0, F_DUPFD, 0);

	FUZZ_REQUIRE(fd >= 0);
	close(fd);
	return fd;
}

static void fuzz_datagram(const struct recogniser *recogniser, const uint8_t *data, size_t length)
{
	uint8_t *copy = malloc(length > 0 ? length : 1);

	fuzz_require(copy != NULL, "out of memory");
	if (length > 0)
		memcpy(copy, data, length);
	recogniser->datagram(copy, length);
	free(copy);
}

int fuzz_recogniser(const char *protocol, const uint8_t *data, size_t length)
{
	const struct recogniser *recogniser = recogniser_find(protocol);

	if (recogniser->stream)
		fuzz_verdict(recogniser->stream, RECOGNISE_MAX_BYTES, data, length);
	if (recogniser->datagram)
		fuzz_datagram(recogniser, data, length);
	return 0;
}
