#include "endpoint.h"

#include "value.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char name_characters[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

/* The name follows RFC 1123, and is not a numeric address that was written wrongly. */
static int parse_name(const char *text, size_t length, struct endpoint *ret)
{
	if (length == 0 || length >= sizeof ret->name || strspn(text, name_characters) < length)
		return -EINVAL;
	if (strspn(text, "0123456789.") >= length || text[0] == '-' || text[0] == '.')
		return -EINVAL;
	memcpy(ret->name, text, length);
	ret->name[length] = '\0';
	return 0;
}

static int parse_host(const char *text, struct endpoint *ret)
{
	const char *colon = strrchr(text, ':');
	uint64_t port;

	if (!colon || value_number(colon + 1, 1, UINT16_MAX, &port) < 0)
		return -EINVAL;
	ret->kind = ENDPOINT_HOST;
	ret->port = (uint16_t)port;
	return parse_name(text, (size_t)(colon - text), ret);
}

static int parse_service(const char *name, struct endpoint *ret)
{
	const char *protocol = strstr(name, "._");

	if (name[0] != '_' || !protocol || !strchr(protocol + 2, '.'))
		return -EINVAL;
	ret->kind = ENDPOINT_SERVICE;
	return parse_name(name, strlen(name), ret);
}

int endpoint_parse(const char *text, struct endpoint *ret)
{
	struct endpoint endpoint = {.kind = ENDPOINT_ADDRESS};
	int error = adopt_address_parse(text, &endpoint.address);

	if (strncmp(text, "srv:", 4) == 0)
		error = parse_service(text + 4, &endpoint);
	else if (error == -EINVAL && strncmp(text, "unix:", 5) != 0 &&
		 strncmp(text, "vsock:", 6) != 0)
		error = parse_host(text, &endpoint);
	if (error == 0)
		*ret = endpoint;
	return error;
}

int endpoint_check(const char *text)
{
	struct endpoint endpoint;
	int error = endpoint_parse(text, &endpoint);

	return error == 0 && endpoint.kind == ENDPOINT_SERVICE ? -EINVAL : error;
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

static int ask_resolver(const struct endpoint *endpoint, int type, struct adopt_address **ret,
			size_t *ret_count)
{
	char port[sizeof "65535"];
	struct addrinfo hints = {.ai_socktype = type, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	int error;

	snprintf(port, sizeof port, "%u", (unsigned)endpoint->port);
	error = getaddrinfo(endpoint->name, port, &hints, &found);
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
	struct endpoint endpoint;
	int error = endpoint_parse(text, &endpoint);

	if (error < 0)
		return error;
	if (endpoint.kind == ENDPOINT_SERVICE)
		return -EINVAL;
	if (endpoint.kind == ENDPOINT_HOST)
		return ask_resolver(&endpoint, type, ret, ret_count);
	*ret = malloc(sizeof **ret);
	if (!*ret)
		return -ENOMEM;
	**ret = endpoint.address;
	*ret_count = 1;
	return 0;
}
