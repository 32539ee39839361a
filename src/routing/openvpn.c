#include "recognise.h"

#define LENGTH_BYTES 2 /* before a packet on TCP */
#define HEAD_BYTES 9   /* opcode and key id, session id */
#define PLAIN_BYTES 14 /* a reset without --tls-auth and --tls-crypt */
#define MAX_BYTES 1078 /* 54 with --tls-crypt, and a wrapped key of 1024 at the most */

/*
 * How a client begins: the opcode in the upper five bits, key id 0 in the lower
 * three (OpenVPN's wire protocol, draft-openvpn-openvpn3). V2 is longest with an
 * HMAC of 64 bytes, a packet id and a time; V3 carries --tls-crypt-v2's key.
 */
static const struct reset {
	uint8_t first;
	size_t min, max;
} resets[] = {
	{7 << 3, PLAIN_BYTES, 128}, /* P_CONTROL_HARD_RESET_CLIENT_V2 */
	{10 << 3, 54, MAX_BYTES},   /* P_CONTROL_HARD_RESET_CLIENT_V3 */
};

static bool all_zero(const uint8_t *data, size_t length)
{
	while (length > 0 && data[length - 1] == 0)
		length--;
	return length == 0;
}

/* How much of a packet is enough to be sure of it. */
static size_t sure_at(size_t packet_length)
{
	return packet_length == PLAIN_BYTES ? PLAIN_BYTES : HEAD_BYTES;
}

/*
 * Judges what is there of a packet, at least one byte. A session id is never 0;
 * in a plain reset nothing is acknowledged and the packet id is 0.
 */
static bool fits(const uint8_t *data, size_t there, size_t packet_length)
{
	const struct reset *reset = NULL;

	for (size_t i = 0; i < sizeof resets / sizeof resets[0]; i++)
		if (resets[i].first == data[0])
			reset = &resets[i];
	if (!reset || packet_length < reset->min || packet_length > reset->max)
		return false;
	if (there >= HEAD_BYTES && all_zero(data + 1, HEAD_BYTES - 1))
		return false;
	return packet_length != PLAIN_BYTES || there <= HEAD_BYTES ||
	       all_zero(data + HEAD_BYTES, there - HEAD_BYTES);
}

static enum verdict openvpn_stream(const uint8_t *data, size_t length, size_t *ret_needed)
{
	size_t packet = length >= LENGTH_BYTES ? (size_t)(data[0] << 8 | data[1]) : PLAIN_BYTES;
	size_t there = length > LENGTH_BYTES ? length - LENGTH_BYTES : 0;

	if ((length > 0 && data[0] > MAX_BYTES >> 8) || packet < PLAIN_BYTES || packet > MAX_BYTES)
		return VERDICT_NO;
	if (there > sure_at(packet))
		there = sure_at(packet);
	if (there > 0 && !fits(data + LENGTH_BYTES, there, packet))
		return VERDICT_NO;
	if (there == sure_at(packet))
		return VERDICT_MATCH;
	*ret_needed = length + 1;
	return VERDICT_MORE;
}

static bool openvpn_datagram(const uint8_t *data, size_t length)
{
	return length >= PLAIN_BYTES && fits(data, sure_at(length), length);
}

const struct recogniser recogniser_openvpn = {
	.name = "openvpn",
	.stream = openvpn_stream,
	.datagram = openvpn_datagram,
};
