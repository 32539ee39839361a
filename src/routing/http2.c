#include "recognise.h"

/* RFC 9113, section 3.4: what every client sends first, with prior knowledge. */
static enum verdict http2_stream(const uint8_t *data, size_t length, size_t *ret_needed)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

	return recognise_literal(data, length, preface, sizeof preface - 1, ret_needed);
}

const struct recogniser recogniser_http2 = {
	.name = "http2",
	.stream = http2_stream,
};
