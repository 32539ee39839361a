#include "fuzz_verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	return fuzz_recogniser("socks5", data, length);
}
