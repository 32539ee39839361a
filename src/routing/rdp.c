#include "recognise.h"

#define HEAD_BYTES 11 /* TPKT's 4 and the fixed 7 of X.224's */

/*
 * Whether the byte at a place can be that of an X.224 connection request in a
 * TPKT packet: RFC 1006, section 6; ITU-T X.224, section 13.3; [MS-RDPBCGR],
 * section 2.2.1.1.
 */
static bool fits(const uint8_t *data, size_t at)
{
	switch (at) {
	case 0: /* TPKT's version */
		return data[at] == 3;
	case 1: /* reserved */
	case 2: /* the packet's length, of which X.224 allows 254 + 5 */
		return data[at] <= (at == 2);
	case 3:
		return (data[2] << 8 | data[at]) >= HEAD_BYTES;
	case 4: /* X.224's length, without itself */
		return data[at] != 0xff && data[at] + 5 == (data[2] << 8 | data[3]);
	case 5: /* connection request, no credit */
		return data[at] == 0xe0;
	case 6: /* no destination yet */
	case 7:
		return data[at] == 0;
	case 8: /* the source: any */
	case 9:
		return true;
	case 10: /* class 0, no options */
		return data[at] == 0;
	default:
		/* RDP goes on with a cookie, a token or a request, other users of
		 * X.224 (S7 among them) with parameters, whose codes have this bit. */
		return (data[at] & 0x80) == 0;
	}
}

static enum verdict rdp_stream(const uint8_t *data, size_t length, size_t *ret_needed)
{
	size_t wanted = HEAD_BYTES;

	for (size_t at = 0; at < wanted; at++) {
		if (at == length) {
			*ret_needed = length + 1;
			return VERDICT_MORE;
		}
		if (!fits(data, at))
			return VERDICT_NO;
		if (at == 4 && data[at] + 5 > HEAD_BYTES)
			wanted = HEAD_BYTES + 1;
	}
	return VERDICT_MATCH;
}

const struct recogniser recogniser_rdp = {
	.name = "rdp",
	.stream = rdp_stream,
};
