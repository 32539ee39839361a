#include "datagram_key.h"

#include <string.h>

void datagram_key_make(const struct adopt_datagram *datagram, struct datagram_key *ret)
{
	socklen_t peer = datagram->peer->length, local = datagram->local->length;

	memcpy(ret->bytes, &datagram->peer->name, peer);
	memcpy(ret->bytes + peer, &datagram->local->name, local);
	ret->length = (size_t)peer + local;
}

static bool same_bytes(const struct adopt_address *a, const struct adopt_address *b)
{
	return a == b || (a->length == b->length && memcmp(&a->name, &b->name, a->length) == 0);
}

size_t datagram_key_run(const struct adopt_datagram *datagrams, size_t count)
{
	size_t run = 1;

	while (run < count && datagrams[run].truncated == datagrams->truncated &&
	       same_bytes(datagrams[run].peer, datagrams->peer) &&
	       same_bytes(datagrams[run].local, datagrams->local))
		run++;
	return run;
}
