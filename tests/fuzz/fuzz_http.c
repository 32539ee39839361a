#include "fuzz_verdict.h"
#include "routing/http.h"

#include <string.h>

static enum verdict judge(const uint8_t *data, size_t length, size_t *ret_needed)
{
	const uint8_t *host;
	size_t host_length;

	return http_host_read(data, length, &host, &host_length, ret_needed);
}

/* A host lies inside, and holds nothing that could lead a reader astray. */
static void check_host(const uint8_t *data, size_t length)
{
	const uint8_t *host = NULL;
	size_t host_length = 0, unused;

	FUZZ_REQUIRE(http_host_read(data, length, &host, &host_length, &unused) == VERDICT_MATCH);
	FUZZ_REQUIRE(host >= data && host_length > 0 && host + host_length <= data + length);
	for (size_t i = 0; i < host_length; i++)
		FUZZ_REQUIRE(host[i] > ' ' && host[i] < 0x7f && !strchr("/@?#\\\"<>", host[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	enum verdict whole = fuzz_verdict(judge, HTTP_HEAD_MAX_BYTES, data, length);
	enum verdict begun =
		fuzz_verdict(recogniser_http.stream, HTTP_HEAD_MAX_BYTES, data, length);

	FUZZ_REQUIRE(begun != VERDICT_NO || whole == VERDICT_NO);
	FUZZ_REQUIRE(whole != VERDICT_MATCH || begun == VERDICT_MATCH);
	if (whole == VERDICT_MATCH)
		check_host(data, length);
	return 0;
}
