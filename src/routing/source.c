#include "source.h"

#include "network.h"

#include <string.h>

bool source_of(const struct adopt_address *peer, struct source *ret)
{
	const uint8_t *bytes = NULL;
	int family = network_address_bytes(peer, &bytes);

	if (family != AF_INET && family != AF_INET6)
		return false;
	*ret = (struct source){.length = family == AF_INET ? 4 : 8};
	memcpy(ret->bytes, bytes, ret->length);
	return true;
}
