#include "recognise.h"

#include <string.h>

#define SOCKS_VERSION 5
#define NO_ACCEPTABLE_METHOD 0xff /* the server's answer, never a client's offer */

/* RFC 1928, section 3: version, number of methods, methods. */
static enum verdict socks5_stream(const uint8_t *data, size_t length, size_t *ret_needed)
{
	size_t methods;

	if ((length > 0 && data[0] != SOCKS_VERSION) || (length > 1 && data[1] == 0))
		return VERDICT_NO;
	if (length < 2) {
		*ret_needed = length + 1;
		return VERDICT_MORE;
	}
	methods = length - 2 < data[1] ? length - 2 : data[1];
	if (memchr(data + 2, NO_ACCEPTABLE_METHOD, methods))
		return VERDICT_NO;
	if (methods == data[1])
		return VERDICT_MATCH;
	*ret_needed = length + 1;
	return VERDICT_MORE;
}

const struct recogniser recogniser_socks5 = {
	.name = "socks5",
	.stream = socks5_stream,
};
