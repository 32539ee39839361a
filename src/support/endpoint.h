/* endpoint.h - addresses as a configuration writes them: numeric, or with a host's name */
#ifndef SUPPORT_ENDPOINT_H
#define SUPPORT_ENDPOINT_H

#include "adopt/adopt.h"

/* The longest name of RFC 1035 as text, its closing NUL included. */
#define ENDPOINT_NAME_SIZE 254

/* What a text says. */
struct endpoint {
	enum {
		ENDPOINT_ADDRESS, /* what adopt_address_parse() reads */
		ENDPOINT_HOST,    /* `name:port` */
		ENDPOINT_SERVICE, /* `srv:_service._protocol.domain`: RFC 2782 */
	} kind;
	struct adopt_address address;
	char name[ENDPOINT_NAME_SIZE]; /* of a host or of a service */
	uint16_t port;                 /* of a host */
};

/*
 * Reads an address's text without resolving anything.
 * Returns 0; -EINVAL; -ENAMETOOLONG; -EAFNOSUPPORT; -ENODEV.
 */
int endpoint_parse(const char *text, struct endpoint *ret);

/* Judges a text as endpoint_parse() does; a service is -EINVAL. */
int endpoint_check(const char *text);

/*
 * Turns an address's text into addresses, asking the system's resolver for a
 * name: this may block, so it is for the time before the loop runs.
 * type: SOCK_STREAM or SOCK_DGRAM, for the resolver.
 * ret: malloc'ed, the caller's; at least one, in the resolver's order.
 * Returns 0; what endpoint_check() returns; -EHOSTUNREACH if the name has no
 * address, -EAGAIN if the resolver could not say; -ENOMEM.
 */
int endpoint_resolve(const char *text, int type, struct adopt_address **ret, size_t *ret_count);

#endif
