#include "adopt.h"
#include "vsock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UN_PATH_OFFSET offsetof(struct sockaddr_un, sun_path)

bool adopt_family_supported(int family)
{
	return family == AF_INET || family == AF_INET6 || family == AF_UNIX ||
	       vsock_is_family(family);
}

int adopt_address_family(const struct adopt_address *address)
{
	return address->length >= sizeof address->name.any.sa_family ? address->name.any.sa_family
								     : AF_UNSPEC;
}

unsigned adopt_address_port(const struct adopt_address *address)
{
	int family = adopt_address_family(address);

	if (family == AF_INET)
		return ntohs(address->name.in.sin_port);
	if (family == AF_INET6)
		return ntohs(address->name.in6.sin6_port);
	if (vsock_is_family(family))
		return vsock_port(address);
	return 0;
}

/* The bytes of a UNIX name: a path without its NUL, an abstract name with its
 * leading one; 0 bytes for an unnamed address. */
static size_t unix_name_length(const struct adopt_address *address)
{
	size_t length;

	if (address->length <= UN_PATH_OFFSET)
		return 0;
	length = address->length - UN_PATH_OFFSET;
	if (address->name.un.sun_path[0] == '\0')
		return length > 1 ? length : 0;
	return strnlen(address->name.un.sun_path, length);
}

bool adopt_address_equal(const struct adopt_address *a, const struct adopt_address *b)
{
	int family = adopt_address_family(a);
	size_t length;

	if (family != adopt_address_family(b))
		return false;
	switch (family) {
	case AF_INET:
		return a->name.in.sin_port == b->name.in.sin_port &&
		       a->name.in.sin_addr.s_addr == b->name.in.sin_addr.s_addr;
	case AF_INET6:
		return a->name.in6.sin6_port == b->name.in6.sin6_port &&
		       a->name.in6.sin6_scope_id == b->name.in6.sin6_scope_id &&
		       memcmp(&a->name.in6.sin6_addr, &b->name.in6.sin6_addr,
			      sizeof a->name.in6.sin6_addr) == 0;
	case AF_UNIX:
		length = unix_name_length(a);
		return length > 0 && length == unix_name_length(b) &&
		       memcmp(a->name.un.sun_path, b->name.un.sun_path, length) == 0;
	default:
		return vsock_is_family(family) && vsock_cid(a) == vsock_cid(b) &&
		       vsock_port(a) == vsock_port(b);
	}
}

/* Reads a whole decimal number, digits only. */
static int parse_number(const char *text, unsigned long max, unsigned long *ret)
{
	unsigned long value = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		value = value * 10 + (unsigned long)(*text - '0');
		if (value > max)
			return -EINVAL;
	}
	*ret = value;
	return 0;
}

static int hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* Reads one byte of a UNIX name, plain or as `\xNN`, and moves past it. */
static int parse_byte(const char **text, char *ret)
{
	const char *at = *text;
	int high, low;

	if (*at != '\\') {
		*ret = *at;
		*text = at + 1;
		return 0;
	}
	high = at[1] == 'x' ? hex_digit(at[2]) : -1;
	low = high >= 0 ? hex_digit(at[3]) : -1;
	if (low < 0)
		return -EINVAL;
	*ret = (char)(high << 4 | low);
	*text = at + 4;
	return 0;
}

static int parse_unix(const char *text, struct adopt_address *ret)
{
	struct adopt_address address = {0};
	char *path = address.name.un.sun_path;
	bool abstract = *text == '@';
	/* An abstract name begins with a NUL, a path ends with one. */
	size_t begin = abstract ? 1 : 0, end = abstract ? 0 : 1, length = begin;

	for (text += begin; *text; length++) {
		if (length + end == sizeof address.name.un.sun_path)
			return -ENAMETOOLONG;
		if (parse_byte(&text, &path[length]) < 0 || (path[length] == '\0' && !abstract))
			return -EINVAL;
	}
	if (length == begin)
		return -EINVAL;
	address.name.un.sun_family = AF_UNIX;
	address.length = (socklen_t)(UN_PATH_OFFSET + length + end);
	*ret = address;
	return 0;
}

static int parse_vsock(const char *text, struct adopt_address *ret)
{
	const char *colon = strchr(text, ':');
	unsigned long cid, port;
	char cid_text[16];

	if (!colon || (size_t)(colon - text) >= sizeof cid_text)
		return -EINVAL;
	memcpy(cid_text, text, (size_t)(colon - text));
	cid_text[colon - text] = '\0';
	if (parse_number(cid_text, UINT32_MAX, &cid) < 0 ||
	    parse_number(colon + 1, UINT32_MAX, &port) < 0)
		return -EINVAL;
	return vsock_set(ret, (uint32_t)cid, (uint32_t)port);
}

static int parse_in6(char *host, unsigned long port, struct adopt_address *ret)
{
	struct adopt_address address = {.length = sizeof address.name.in6};
	char *scope = strchr(host, '%');
	unsigned long index;

	if (scope)
		*scope++ = '\0';
	if (inet_pton(AF_INET6, host, &address.name.in6.sin6_addr) != 1)
		return -EINVAL;
	if (scope) {
		if (parse_number(scope, UINT32_MAX, &index) < 0)
			index = if_nametoindex(scope);
		if (index == 0)
			return -ENODEV;
		address.name.in6.sin6_scope_id = (uint32_t)index;
	}
	address.name.in6.sin6_family = AF_INET6;
	address.name.in6.sin6_port = htons((uint16_t)port);
	*ret = address;
	return 0;
}

static int parse_in(const char *host, unsigned long port, struct adopt_address *ret)
{
	struct adopt_address address = {.length = sizeof address.name.in};

	address.name.in.sin_family = AF_INET;
	address.name.in.sin_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, host, &address.name.in.sin_addr) != 1)
		return -EINVAL;
	*ret = address;
	return 0;
}

int adopt_address_parse(const char *text, struct adopt_address *ret)
{
	char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 3];
	const char *colon;
	unsigned long port;
	size_t length;

	if (strncmp(text, "unix:", 5) == 0)
		return parse_unix(text + 5, ret);
	if (strncmp(text, "vsock:", 6) == 0)
		return parse_vsock(text + 6, ret);
	colon = strrchr(text, ':');
	if (!colon || parse_number(colon + 1, UINT16_MAX, &port) < 0)
		return -EINVAL;
	length = (size_t)(colon - text);
	if (length >= sizeof host)
		return -EINVAL;
	memcpy(host, text, length);
	host[length] = '\0';
	if (host[0] != '[')
		return parse_in(host, port, ret);
	if (length < 2 || host[length - 1] != ']')
		return -EINVAL;
	host[length - 1] = '\0';
	return parse_in6(host + 1, port, ret);
}

static void format_unix(const struct adopt_address *address, char *buffer, size_t size)
{
	const char *name = address->name.un.sun_path;
	size_t length = unix_name_length(address);
	size_t used = (size_t)snprintf(buffer, size, "unix:");

	for (size_t i = 0; i < length && used + 1 < size; i++) {
		unsigned char byte = (unsigned char)name[i];

		/* A plain `@` in front, or a plain backslash, would be read otherwise. */
		if (i == 0 && byte == '\0')
			used += (size_t)snprintf(buffer + used, size - used, "@");
		else if (byte < 0x20 || byte >= 0x7f || byte == '\\' || (i == 0 && byte == '@'))
			used += (size_t)snprintf(buffer + used, size - used, "\\x%02X", byte);
		else
			used += (size_t)snprintf(buffer + used, size - used, "%c", byte);
	}
}

static void format_in6(const struct sockaddr_in6 *in6, char *buffer, size_t size)
{
	char host[INET6_ADDRSTRLEN], scope[IF_NAMESIZE + 1] = "";

	inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
	if (in6->sin6_scope_id != 0) {
		scope[0] = '%';
		if (!if_indextoname(in6->sin6_scope_id, scope + 1))
			snprintf(scope + 1, sizeof scope - 1, "%u", in6->sin6_scope_id);
	}
	snprintf(buffer, size, "[%s%s]:%u", host, scope, ntohs(in6->sin6_port));
}

char *adopt_address_format(const struct adopt_address *address, char *buffer, size_t size)
{
	int family = adopt_address_family(address);
	char host[INET_ADDRSTRLEN];

	if (size == 0)
		return buffer;
	if (family == AF_INET) {
		inet_ntop(AF_INET, &address->name.in.sin_addr, host, sizeof host);
		snprintf(buffer, size, "%s:%u", host, ntohs(address->name.in.sin_port));
	} else if (family == AF_INET6) {
		format_in6(&address->name.in6, buffer, size);
	} else if (family == AF_UNIX) {
		format_unix(address, buffer, size);
	} else if (vsock_is_family(family)) {
		snprintf(buffer, size, "vsock:%u:%u", vsock_cid(address), vsock_port(address));
	} else {
		snprintf(buffer, size, "unknown");
	}
	return buffer;
}
