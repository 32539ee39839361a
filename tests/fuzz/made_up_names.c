#include "made_up_names.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static int port_of(const char *service, const char *protocol, uint16_t *ret)
{
	static const struct {
		const char *name;
		bool tcp, udp;
		uint16_t port;
	} services[] = {
		{"echo", true, true, 7},     {"discard", true, true, 9},
		{"daytime", true, true, 13}, {"chargen", true, true, 19},
		{"ftp", true, false, 21},    {"telnet", true, false, 23},
		{"time", true, true, 37},    {"tftp", false, true, 69},
	};

	for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
		if (strcmp(services[i].name, service) != 0)
			continue;
		if (!(strcmp(protocol, "tcp") == 0 ? services[i].tcp : services[i].udp))
			continue;
		*ret = services[i].port;
		return 0;
	}
	return -ENOENT;
}

static int addresses_of(const char *host, int family, struct words *ret)
{
	if (strcmp(host, "here") == 0)
		return words_print(ret, family == AF_INET ? "192.0.2.1" : "2001:db8::1");
	if (strcmp(host, "four") == 0 && family == AF_INET)
		return words_print(ret, "192.0.2.4");
	if (strcmp(host, "six") == 0 && family == AF_INET6)
		return words_print(ret, "2001:db8::6");
	return -ENOENT;
}

static bool is_user(const char *name)
{
	return strcmp(name, "root") == 0 || strcmp(name, "nobody") == 0;
}

static bool is_group(const char *name)
{
	return strcmp(name, "root") == 0 || strcmp(name, "tty") == 0;
}

const struct names made_up_names = {
	.port = port_of, .addresses = addresses_of, .user = is_user, .group = is_group};
