#include "fuzz_verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	return fuzz_recogniser("wireguard", data, length);
}
