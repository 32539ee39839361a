#include "datagram_key.h"

#include <string.h>

void datagram_key_make(const struct adopt_datagram *datagram, struct datagram_key *ret)
{
	socklen_t peer = datagram->peer->length, local = datagram->local->length;

	memcpy(ret->bytes, &datagram->peer->name, peer);
	memcpy(ret->bytes + peer, &datagram->local->name, local);
	ret->length = (size_t)peer + local;
}
