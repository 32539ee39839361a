#include "fuzz_verdict.h"
#include "support/dns_ttl.h"

/* More bytes change nothing of what was found, and fewer find nothing else. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	uint32_t whole = 1, part;

	if (dns_ttl(data, length, &whole) < 0) {
		FUZZ_REQUIRE(whole == 1);
		return 0;
	}
	FUZZ_REQUIRE(whole <= INT32_MAX);
	for (size_t less = 0; less < length; less++)
		FUZZ_REQUIRE(dns_ttl(data, less, &part) < 0 || part == whole);
	return 0;
}
