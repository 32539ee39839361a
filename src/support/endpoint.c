#include "endpoint.h"

#include "value.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Splits `name:port`; the name follows RFC 1123, and is not mistaken for a
 * numeric address that was written wrongly. */
static int split(const char *text, char *name, size_t size, const char **ret_port)
{
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;
	uint64_t port;

	if (length == 0 || length >= size || value_number(colon + 1, 1, UINT16_MAX, &port) < 0)
		return -EINVAL;
	if (strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") <
	    length)
		return -EINVAL;
	if (strspn(text, "0123456789.") == length || text[0] == '-' || text[0] == '.')
		return -EINVAL;
	memcpy(name, text, length);
	name[length] = '\0';
	*ret_port = colon + 1;
	return 0;
}

int endpoint_check(const char *text)
{
	struct adopt_address address;
	char name[NI_MAXHOST];
	const char *port;
	int error = adopt_address_parse(text, &address);

	if (error == -EINVAL && strncmp(text, "unix:", 5) != 0 && strncmp(text, "vsock:", 6) != 0)
		error = split(text, name, sizeof name, &port);
	return error;
}

static int copy_list(const struct addrinfo *found, struct adopt_address **ret, size_t *ret_count)
{
	struct adopt_address *addresses;
	size_t count = 0;

	for (const struct addrinfo *at = found; at; at = at->ai_next)
		count++;
	addresses = calloc(count, sizeof *addresses);
	if (!addresses)
		return -ENOMEM;
	count = 0;
	for (const struct addrinfo *at = found; at; at = at->ai_next) {
		if (at->ai_addrlen > sizeof addresses->name)
			continue;
		addresses[count].length = at->ai_addrlen;
		memcpy(&addresses[count++].name, at->ai_addr, at->ai_addrlen);
	}
	*ret = addresses;
	*ret_count = count;
	return 0;
}

static int ask_resolver(const char *name, const char *port, int type, struct adopt_address **ret,
			size_t *ret_count)
{
	struct addrinfo hints = {.ai_socktype = type, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	int error = getaddrinfo(name, port, &hints, &found);

	switch (error) {
	case 0:
		error = copy_list(found, ret, ret_count);
		freeaddrinfo(found);
		return error;
	case EAI_AGAIN:
		return -EAGAIN;
	case EAI_MEMORY:
		return -ENOMEM;
	default:
		return -EHOSTUNREACH;
	}
}

int endpoint_resolve(const char *text, int type, struct adopt_address **ret, size_t *ret_count)
{
	struct adopt_address address;
	char name[NI_MAXHOST];
	const char *port;
	int error = endpoint_check(text);

	if (error < 0)
		return error;
	if (adopt_address_parse(text, &address) < 0) {
		error = split(text, name, sizeof name, &port);
		return error < 0 ? error : ask_resolver(name, port, type, ret, ret_count);
	}
	*ret = malloc(sizeof **ret);
	if (!*ret)
		return -ENOMEM;
	**ret = address;
	*ret_count = 1;
	return 0;
}
