#include "network.h"

#include "support/value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAPPED_BITS 96

static const uint8_t mapped_prefix[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};

static size_t family_bytes(int family)
{
	return family == AF_INET ? 4 : 16;
}

/* Clears all but the first bits. Returns whether any of them was set. */
static bool clear_host(uint8_t *address, size_t size, unsigned bits)
{
	bool cleared = false;

	for (size_t i = 0; i < size; i++) {
		unsigned kept = bits > 8 * i ? bits - (unsigned)(8 * i) : 0;
		uint8_t mask = kept >= 8 ? 0 : (uint8_t)(0xff >> kept);

		cleared = cleared || (address[i] & mask) != 0;
		address[i] &= (uint8_t)~mask;
	}
	return cleared;
}

static int parse_address(const char *text, struct network *ret)
{
	ret->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	return inet_pton(ret->family, text, ret->address) == 1 ? 0 : -EINVAL;
}

/* Splits `address/bits` and reads both. */
static int parse_parts(const char *text, struct network *ret, char *problem)
{
	char host[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	uint64_t bits;

	if (length < sizeof host) {
		memcpy(host, text, length);
		host[length] = '\0';
	}
	if (length >= sizeof host || parse_address(host, ret) < 0) {
		snprintf(problem, NETWORK_PROBLEM_SIZE,
			 "is no network; write it as 10.0.0.0/8, 2001:db8::/32, a whole address, "
			 "or unix");
		return -EINVAL;
	}
	bits = 8 * family_bytes(ret->family);
	if (slash && value_number(slash + 1, 0, bits, &bits) < 0) {
		snprintf(problem, NETWORK_PROBLEM_SIZE, "needs a number from 0 to %u after the /",
			 (unsigned)(8 * family_bytes(ret->family)));
		return -EINVAL;
	}
	ret->bits = (unsigned)bits;
	return 0;
}

/* Peers in this range count as IPv4: a network here would never match. */
static int refuse_mapped(const struct network *network, char *problem)
{
	char host[INET_ADDRSTRLEN];

	if (network->family != AF_INET6 || network->bits < MAPPED_BITS ||
	    memcmp(network->address, mapped_prefix, sizeof mapped_prefix) != 0)
		return 0;
	inet_ntop(AF_INET, network->address + sizeof mapped_prefix, host, sizeof host);
	snprintf(problem, NETWORK_PROBLEM_SIZE, "holds IPv4 addresses; write %s/%u", host,
		 network->bits - MAPPED_BITS);
	return -EINVAL;
}

int network_parse(const char *text, struct network *ret, char problem[NETWORK_PROBLEM_SIZE])
{
	struct network network = {0};
	char host[INET6_ADDRSTRLEN];
	int error;

	if (strcmp(text, "unix") == 0) {
		ret->family = AF_UNIX;
		ret->bits = 0;
		memset(ret->address, 0, sizeof ret->address);
		return 0;
	}
	error = parse_parts(text, &network, problem);
	if (error < 0)
		return error;
	if (clear_host(network.address, family_bytes(network.family), network.bits)) {
		inet_ntop(network.family, network.address, host, sizeof host);
		snprintf(problem, NETWORK_PROBLEM_SIZE,
			 "has bits set behind its first %u; write %s/%u", network.bits, host,
			 network.bits);
		return -EINVAL;
	}
	error = refuse_mapped(&network, problem);
	if (error < 0)
		return error;
	*ret = network;
	return 0;
}

int network_address_bytes(const struct adopt_address *address, const uint8_t **ret)
{
	int family = adopt_address_family(address);
	const uint8_t *bytes;

	if (family == AF_INET)
		*ret = (const uint8_t *)&address->name.in.sin_addr;
	if (family != AF_INET6)
		return family;
	bytes = address->name.in6.sin6_addr.s6_addr;
	if (memcmp(bytes, mapped_prefix, sizeof mapped_prefix) != 0) {
		*ret = bytes;
		return AF_INET6;
	}
	*ret = bytes + sizeof mapped_prefix;
	return AF_INET;
}

static bool begins_like(const struct network *network, const uint8_t *bytes)
{
	size_t whole = network->bits / 8;
	unsigned rest = network->bits % 8;

	return memcmp(bytes, network->address, whole) == 0 &&
	       (rest == 0 || (bytes[whole] ^ network->address[whole]) >> (8 - rest) == 0);
}

bool network_contains(const struct network *network, const struct adopt_address *address)
{
	const uint8_t *bytes = NULL;
	int family = network_address_bytes(address, &bytes);

	if (family != network->family)
		return false;
	return family == AF_UNIX || begins_like(network, bytes);
}

bool network_same_address(const struct adopt_address *a, const struct adopt_address *b)
{
	const uint8_t *a_bytes = NULL, *b_bytes = NULL;

	if (network_address_bytes(a, &a_bytes) != AF_INET ||
	    network_address_bytes(b, &b_bytes) != AF_INET)
		return adopt_address_equal(a, b);
	return memcmp(a_bytes, b_bytes, family_bytes(AF_INET)) == 0 &&
	       adopt_address_port(a) == adopt_address_port(b);
}

bool network_covers(const struct network *wide, const struct network *narrow)
{
	return wide->family == narrow->family && wide->bits <= narrow->bits &&
	       begins_like(wide, narrow->address);
}
