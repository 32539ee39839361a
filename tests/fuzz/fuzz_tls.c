#include "fuzz_verdict.h"
#include "routing/name_pattern.h"
#include "routing/tls.h"

static struct client_hello hello;

static enum verdict judge(const uint8_t *data, size_t length, size_t *ret_needed)
{
	return client_hello_read(data, length, &hello, ret_needed);
}

static bool inside(const uint8_t *part, size_t length)
{
	return part >= hello.bytes && length > 0 &&
	       (size_t)(part - hello.bytes) + length <= sizeof hello.bytes;
}

/* What a whole hello holds can be used; and what is one looks like TLS. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	enum verdict whole = fuzz_verdict(judge, RECOGNISE_MAX_BYTES, data, length);
	enum verdict begun = fuzz_verdict(recogniser_tls.stream, RECOGNISE_MAX_BYTES, data, length);

	FUZZ_REQUIRE(begun != VERDICT_NO || whole == VERDICT_NO);
	FUZZ_REQUIRE(whole != VERDICT_MATCH || begun == VERDICT_MATCH);
	if (whole != VERDICT_MATCH)
		return 0;
	if (hello.server_name) {
		FUZZ_REQUIRE(inside(hello.server_name, hello.server_name_length));
		name_pattern_match("*.example.org", hello.server_name, hello.server_name_length);
	}
	if (hello.alpn)
		FUZZ_REQUIRE(inside(hello.alpn, hello.alpn_length));
	client_hello_offers(&hello, "h2");
	return 0;
}
