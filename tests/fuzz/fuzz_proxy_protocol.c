#include "fuzz_verdict.h"
#include "support/proxy_protocol.h"

#include <string.h>

static enum verdict judge(const uint8_t *data, size_t length, size_t *ret_needed)
{
	struct proxy_protocol_header header;

	return proxy_protocol_read(data, length, &header, ret_needed);
}

/* What was read, written and read again, is written the same once more. */
static void check_writer(const struct proxy_protocol_header *header,
			 size_t (*write)(const struct proxy_protocol_header *, uint8_t *))
{
	uint8_t first[PROXY_PROTOCOL_WRITE_BYTES], second[PROXY_PROTOCOL_WRITE_BYTES];
	struct proxy_protocol_header read;
	size_t unused, length = write(header, first);

	FUZZ_REQUIRE(length <= sizeof first);
	FUZZ_REQUIRE(proxy_protocol_read(first, length, &read, &unused) == VERDICT_MATCH);
	FUZZ_REQUIRE(read.length == length);
	/* a command that is local is told apart from an unknown family by nobody */
	if (read.local)
		return;
	FUZZ_REQUIRE(read.type == header->type);
	FUZZ_REQUIRE(write(&read, second) == length);
	FUZZ_REQUIRE(memcmp(first, second, length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct proxy_protocol_header header = {0};
	size_t unused;

	if (fuzz_verdict(judge, PROXY_PROTOCOL_MAX_BYTES, data, length) != VERDICT_MATCH)
		return 0;
	proxy_protocol_read(data, length, &header, &unused);
	FUZZ_REQUIRE(header.length <= length);
	check_writer(&header, proxy_protocol_write_v1);
	check_writer(&header, proxy_protocol_write_v2);
	return 0;
}
