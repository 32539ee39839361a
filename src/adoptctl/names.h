/* names.h - what the system knows of the names of services, hosts, users and groups */
#ifndef ADOPTCTL_NAMES_H
#define ADOPTCTL_NAMES_H

#include "words.h"

#include <stdint.h>

/* Where names are looked up: tests have tables of their own. */
struct names {
	/*
	 * Finds the port of a service.
	 * protocol: `tcp` or `udp`.
	 * Returns 0 or -ENOENT.
	 */
	int (*port)(const char *service, const char *protocol, uint16_t *ret);

	/*
	 * Appends the addresses of a host, which are numeric.
	 * family: AF_INET or AF_INET6.
	 * Returns 0; -ENOENT where it has none; -E2BIG; -ENOMEM.
	 */
	int (*addresses)(const char *host, int family, struct words *ret);

	/* Tell whether there is such a user or group. */
	bool (*user)(const char *name);
	bool (*group)(const char *name);
};

/* services(5), passwd(5), group(5), and whatever the system's resolver asks: this may
 * block. */
extern const struct names names_of_system;

/*
 * Finds the port that a name or a number from 1 to 65535 means.
 * Returns 0 or -ENOENT.
 */
int names_port(const struct names *names, const char *text, const char *protocol, uint16_t *ret);

/*
 * Appends the addresses, such as `[::1]:23`, at which a host has a port.
 * host: a name or an address, of which those of the family count; NULL for all
 * addresses of this host.
 * Returns as addresses() does.
 */
int names_listen(const struct names *names, const char *host, int family, uint16_t port,
		 struct words *ret);

#endif
