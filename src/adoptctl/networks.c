#include "networks.h"

#include "support/value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define MAPPED_BITS 96

static const uint8_t mapped_prefix[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};

/* Appends a network, of which the bits behind the first ones do not count. */
static int add(struct words *networks, int family, uint8_t *address, unsigned bits)
{
	unsigned all = family == AF_INET ? 32 : 128;
	char text[INET6_ADDRSTRLEN];

	for (unsigned i = bits; i < all; i++)
		address[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	inet_ntop(family, address, text, sizeof text);
	/* Without its length, 10.0.0.0 would be a network to xinetd. */
	if (bits == all && (family == AF_INET6 || address[3] != 0))
		return words_add(networks, text);
	return words_print(networks, "%s/%u", text, bits);
}

/* Clients in this range count as IPv4 ones. */
static int add_v6(struct words *networks, uint8_t *address, unsigned bits)
{
	if (bits >= MAPPED_BITS && memcmp(address, mapped_prefix, sizeof mapped_prefix) == 0)
		return add(networks, AF_INET, address + sizeof mapped_prefix, bits - MAPPED_BITS);
	return add(networks, AF_INET6, address, bits);
}

static int add_explicit(struct words *networks, const char *word, const char *slash)
{
	size_t length = (size_t)(slash - word);
	char host[INET6_ADDRSTRLEN];
	uint8_t address[16];
	uint64_t bits;

	if (length >= sizeof host)
		return -EINVAL;
	memcpy(host, word, length);
	host[length] = '\0';
	if (inet_pton(AF_INET, host, address) == 1 && value_number(slash + 1, 0, 32, &bits) == 0)
		return add(networks, AF_INET, address, (unsigned)bits);
	if (inet_pton(AF_INET6, host, address) == 1 && value_number(slash + 1, 0, 128, &bits) == 0)
		return add_v6(networks, address, (unsigned)bits);
	return -EINVAL;
}

static int add_numeric(struct words *networks, const char *word)
{
	uint8_t address[16];
	unsigned bits = 32;

	if (inet_pton(AF_INET6, word, address) == 1)
		return add_v6(networks, address, 128);
	if (inet_pton(AF_INET, word, address) != 1)
		return -EINVAL;
	while (bits > 0 && address[bits / 8 - 1] == 0)
		bits -= 8;
	return add(networks, AF_INET, address, bits);
}

/* Reads a component of an address and the byte behind it, which is one of `ends`. */
static int read_component(const char **at, const char *ends, uint8_t *ret)
{
	unsigned number = 0;
	size_t digits = strspn(*at, "0123456789");

	if (digits == 0 || digits > 3)
		return -EINVAL;
	for (; digits > 0; digits--)
		number = 10 * number + (unsigned)(*(*at)++ - '0');
	if (number > 255 || **at == '\0' || !strchr(ends, **at))
		return -EINVAL;
	++*at;
	*ret = (uint8_t)number;
	return 0;
}

/* Reads the list between the braces; appends nothing unless all of it is right. */
static int add_list(struct words *networks, const char *list, const uint8_t *prefix, size_t bytes)
{
	struct words found = {0};
	const char *at = list;
	int error;

	do {
		uint8_t address[4] = {0};

		memcpy(address, prefix, bytes);
		error = read_component(&at, ",}", &address[bytes]);
		if (error == 0)
			error = add(&found, AF_INET, address, 8 * (unsigned)(bytes + 1));
	} while (error == 0 && at[-1] == ',');
	if (error == 0 && *at != '\0')
		error = -EINVAL;
	if (error == 0)
		error = words_append(networks, &found);
	words_done(&found);
	return error;
}

static int add_factorised(struct words *networks, const char *word)
{
	uint8_t prefix[4] = {0};
	const char *at = word;
	size_t bytes = 0;

	while (*at != '{')
		if (bytes == 3 || read_component(&at, ".", &prefix[bytes++]) < 0)
			return -EINVAL;
	return add_list(networks, at + 1, prefix, bytes);
}

int networks_add(struct words *networks, const char *word)
{
	const char *slash = strchr(word, '/');
	int error;

	if (strchr(word, '{'))
		return add_factorised(networks, word);
	if (slash)
		return add_explicit(networks, word, slash);
	if (strcmp(word, "localhost") != 0)
		return add_numeric(networks, word);
	error = add_numeric(networks, "127.0.0.1");
	return error < 0 ? error : add_numeric(networks, "::1");
}
