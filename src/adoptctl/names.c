#include "names.h"

#include "support/value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>

static int port_of(const char *service, const char *protocol, uint16_t *ret)
{
	const struct servent *found = getservbyname(service, protocol);

	if (!found)
		return -ENOENT;
	*ret = ntohs((uint16_t)found->s_port);
	return 0;
}

static int addresses_of(const char *host, int family, struct words *ret)
{
	/* One type, lest each address is told several times. */
	struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	int error = 0;

	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return -ENOENT;
	for (const struct addrinfo *at = found; error == 0 && at; at = at->ai_next) {
		char text[NI_MAXHOST];

		if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof text, NULL, 0,
				NI_NUMERICHOST) == 0)
			error = words_add(ret, text);
	}
	freeaddrinfo(found);
	return error;
}

static bool is_user(const char *name)
{
	return getpwnam(name) != NULL;
}

static bool is_group(const char *name)
{
	return getgrnam(name) != NULL;
}

const struct names names_of_system = {
	.port = port_of, .addresses = addresses_of, .user = is_user, .group = is_group};

int names_port(const struct names *names, const char *text, const char *protocol, uint16_t *ret)
{
	uint64_t number;

	if (value_number(text, 1, UINT16_MAX, &number) == 0) {
		*ret = (uint16_t)number;
		return 0;
	}
	return names->port(text, protocol, ret);
}

static int add_listen(const char *address, int family, uint16_t port, struct words *ret)
{
	return words_print(ret, family == AF_INET6 ? "[%s]:%u" : "%s:%u", address, (unsigned)port);
}

int names_listen(const struct names *names, const char *host, int family, uint16_t port,
		 struct words *ret)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	struct words found = {0};
	int error;

	if (!host)
		return add_listen(family == AF_INET6 ? "::" : "0.0.0.0", family, port, ret);
	/* An address needs no resolver, which would also take what is none: `10.1`. */
	if (inet_pton(family, host, bytes) == 1)
		return add_listen(host, family, port, ret);
	if (strspn(host, "0123456789.") == strlen(host) || strchr(host, ':'))
		return -ENOENT;
	error = names->addresses(host, family, &found);
	for (size_t i = 0; error == 0 && i < found.count; i++)
		error = add_listen(found.items[i], family, port, ret);
	words_done(&found);
	return error;
}
