/* sight.h - what is known of a client when its route is chosen */
#ifndef ROUTING_SIGHT_H
#define ROUTING_SIGHT_H

#include "adopt/adopt.h"
#include "tls.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* One look at a client. What is costly to know is found out once, when first asked for. */
struct sight {
	struct adopt_transport *transport; /* NULL for a datagram, which is whole */
	struct adopt_address peer;
	bool bytes_only; /* the conditions that need none hold, as an earlier look has shown */
	const uint8_t *data;
	size_t length;

	bool local_known;
	struct adopt_address local;

	bool user_known;
	bool identified;
	uid_t uid;
	gid_t gid;

	bool hello_read;
	enum verdict hello_verdict;
	size_t hello_needed;
	struct client_hello hello;

	bool host_read;
	enum verdict host_verdict;
	size_t host_needed;
	const uint8_t *host; /* inside data */
	size_t host_length;
};

/* Begins a look at a stream's client, of whom nothing is known yet, and at its first
 * bytes. data: outlives the look. */
void sight_client(struct sight *sight, struct adopt_transport *transport, const uint8_t *data,
		  size_t length);

/* Begins a look at a datagram, which outlives it. */
void sight_datagram(struct sight *sight, const struct adopt_datagram *datagram);

/* Read the ClientHello, and the host of an HTTP request. Judge as verdict.h says. */
enum verdict sight_hello(struct sight *sight, size_t *ret_needed);
enum verdict sight_host(struct sight *sight, size_t *ret_needed);

/* Returns the address that the client came to. */
const struct adopt_address *sight_local(struct sight *sight);

/* Tells whether the client is one on a UNIX socket whom the system knows: uid and gid
 * are set then. */
bool sight_identified(struct sight *sight);

#endif
