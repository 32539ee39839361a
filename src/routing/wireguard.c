#include "recognise.h"

#include <string.h>

#define INITIATION_BYTES 148

/* The handshake initiation: type 1, three reserved zeros (Donenfeld: "WireGuard:
 * Next Generation Kernel Network Tunnel", section 5.4.2). */
static bool wireguard_datagram(const uint8_t *data, size_t length)
{
	static const uint8_t head[4] = {1, 0, 0, 0};

	return length == INITIATION_BYTES && memcmp(data, head, sizeof head) == 0;
}

const struct recogniser recogniser_wireguard = {
	.name = "wireguard",
	.datagram = wireguard_datagram,
};
