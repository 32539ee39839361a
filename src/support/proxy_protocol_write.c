#include "proxy_protocol.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define UNIX_NAME_BYTES 108
#define UNIX_NAME_OFFSET offsetof(struct sockaddr_un, sun_path)

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

/* Two addresses of one family, which is AF_UNSPEC where that cannot be. */
struct pair {
	int family;
	struct adopt_address source;
	struct adopt_address destination;
};

static void unmap(struct adopt_address *address)
{
	struct sockaddr_in6 in6 = address->name.in6;

	if (adopt_address_family(address) != AF_INET6 ||
	    memcmp(&in6.sin6_addr, mapped_prefix, sizeof mapped_prefix) != 0)
		return;
	memset(address, 0, sizeof *address);
	address->length = sizeof address->name.in;
	address->name.in.sin_family = AF_INET;
	address->name.in.sin_port = in6.sin6_port;
	memcpy(&address->name.in.sin_addr, in6.sin6_addr.s6_addr + sizeof mapped_prefix, 4);
}

static void map(struct adopt_address *address)
{
	struct sockaddr_in in = address->name.in;

	if (adopt_address_family(address) != AF_INET)
		return;
	memset(address, 0, sizeof *address);
	address->length = sizeof address->name.in6;
	address->name.in6.sin6_family = AF_INET6;
	address->name.in6.sin6_port = in.sin_port;
	memcpy(address->name.in6.sin6_addr.s6_addr, mapped_prefix, sizeof mapped_prefix);
	memcpy(address->name.in6.sin6_addr.s6_addr + sizeof mapped_prefix, &in.sin_addr, 4);
}

static bool is_inet(int family)
{
	return family == AF_INET || family == AF_INET6;
}

/* A client that a header told of may have come in over a UNIX socket. */
static void match_destination(struct pair *pair)
{
	int family = adopt_address_family(&pair->source);

	if (!is_inet(family) || is_inet(adopt_address_family(&pair->destination)))
		return;
	pair->destination = (struct adopt_address){.length = pair->source.length};
	pair->destination.name.any.sa_family = (sa_family_t)family;
}

/* An unnamed UNIX client says no more than none. */
static bool is_named(const struct adopt_address *address)
{
	return address->length > UNIX_NAME_OFFSET;
}

static struct pair make_pair(const struct proxy_protocol_header *header)
{
	struct pair pair = {AF_UNSPEC, header->source, header->destination};
	int source, destination;

	if (header->local || (header->type != SOCK_STREAM && header->type != SOCK_DGRAM))
		return pair;
	unmap(&pair.source);
	unmap(&pair.destination);
	match_destination(&pair);
	source = adopt_address_family(&pair.source);
	destination = adopt_address_family(&pair.destination);
	if (source != destination && is_inet(source) && is_inet(destination)) {
		map(&pair.source);
		map(&pair.destination);
		pair.family = AF_INET6;
	} else if (source == destination &&
		   (is_inet(source) || (source == AF_UNIX && is_named(&pair.source)))) {
		pair.family = source;
	}
	return pair;
}

static const void *host(const struct adopt_address *address)
{
	return adopt_address_family(address) == AF_INET ? (const void *)&address->name.in.sin_addr
							: &address->name.in6.sin6_addr;
}

size_t proxy_protocol_write_v1(const struct proxy_protocol_header *header,
			       uint8_t buffer[PROXY_PROTOCOL_WRITE_BYTES])
{
	struct pair pair = make_pair(header);
	char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN];
	char line[PROXY_PROTOCOL_V1_MAX_BYTES + 1];
	int length;

	if (header->type == SOCK_STREAM && is_inet(pair.family)) {
		inet_ntop(pair.family, host(&pair.source), source, sizeof source);
		inet_ntop(pair.family, host(&pair.destination), destination, sizeof destination);
		length = snprintf(line, sizeof line, "PROXY TCP%c %s %s %u %u\r\n",
				  pair.family == AF_INET ? '4' : '6', source, destination,
				  adopt_address_port(&pair.source),
				  adopt_address_port(&pair.destination));
	} else {
		length = snprintf(line, sizeof line, "PROXY UNKNOWN\r\n");
	}
	memcpy(buffer, line, (size_t)length);
	return (size_t)length;
}

static uint8_t *put(uint8_t *at, const void *data, size_t length)
{
	memcpy(at, data, length);
	return at + length;
}

static uint8_t *put_port(uint8_t *at, const struct adopt_address *address)
{
	unsigned port = adopt_address_port(address);

	*at++ = (uint8_t)(port >> 8);
	*at++ = (uint8_t)port;
	return at;
}

static uint8_t *put_unix(uint8_t *at, const struct adopt_address *address)
{
	size_t length = address->length > UNIX_NAME_OFFSET ? address->length - UNIX_NAME_OFFSET : 0;

	memset(at, 0, UNIX_NAME_BYTES);
	memcpy(at, address->name.un.sun_path, length < UNIX_NAME_BYTES ? length : UNIX_NAME_BYTES);
	return at + UNIX_NAME_BYTES;
}

static uint8_t *put_pair(uint8_t *at, const struct pair *pair)
{
	size_t host_bytes = pair->family == AF_INET ? 4 : 16;

	if (pair->family == AF_UNIX)
		return put_unix(put_unix(at, &pair->source), &pair->destination);
	if (pair->family == AF_UNSPEC)
		return at;
	at = put(at, host(&pair->source), host_bytes);
	at = put(at, host(&pair->destination), host_bytes);
	return put_port(put_port(at, &pair->source), &pair->destination);
}

static uint8_t family_code(int family, int type)
{
	uint8_t transport = type == SOCK_STREAM ? 1 : 2;

	switch (family) {
	case AF_INET:
		return 0x10 | transport;
	case AF_INET6:
		return 0x20 | transport;
	case AF_UNIX:
		return 0x30 | transport;
	default:
		return 0;
	}
}

size_t proxy_protocol_write_v2(const struct proxy_protocol_header *header,
			       uint8_t buffer[PROXY_PROTOCOL_WRITE_BYTES])
{
	static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";
	struct pair pair = make_pair(header);
	uint8_t *at = put(buffer, signature, sizeof signature - 1);
	uint8_t *size, *begin;

	*at++ = pair.family == AF_UNSPEC ? 0x20 : 0x21;
	*at++ = family_code(pair.family, header->type);
	size = at;
	begin = at + 2;
	at = put_pair(begin, &pair);
	size[0] = (uint8_t)((at - begin) >> 8);
	size[1] = (uint8_t)(at - begin);
	return (size_t)(at - buffer);
}
