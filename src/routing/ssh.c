#include "recognise.h"

/*
 * RFC 4253, section 4.2: a client opens with its identification. 1.99 is what
 * those send that speak SSH 1 as well (section 5.1); plain SSH 1 is dead.
 */
static enum verdict ssh_stream(const uint8_t *data, size_t length, size_t *ret_needed)
{
	static const char v2[] = "SSH-2.0-", v1_99[] = "SSH-1.99-";
	enum verdict verdict = recognise_literal(data, length, v2, sizeof v2 - 1, ret_needed);

	if (verdict == VERDICT_NO)
		verdict = recognise_literal(data, length, v1_99, sizeof v1_99 - 1, ret_needed);
	return verdict;
}

const struct recogniser recogniser_ssh = {
	.name = "ssh",
	.stream = ssh_stream,
};
