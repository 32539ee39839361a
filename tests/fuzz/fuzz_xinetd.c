#include "fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	return fuzz_import(KIND_XINETD, data, length);
}
