/* sight.h - what is known of a client when its route is chosen */
#ifndef ROUTING_SIGHT_H
#define ROUTING_SIGHT_H

#include "adopt/adopt.h"
#include "tls.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* One look at a client. What is costly to read is read once, when first asked for. */
struct sight {
	struct adopt_address peer;
	struct adopt_address local;
	bool datagram; /* the bytes are one whole datagram */
	bool identified;
	uid_t uid; /* of a UNIX peer, where identified */
	gid_t gid;
	const uint8_t *data;
	size_t length;

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

/* Begins a look at bytes: forgets what was read of others. peer, local and the
 * credentials stay. data: outlives the look. */
void sight_begin(struct sight *sight, const uint8_t *data, size_t length);

/* Read the ClientHello, and the host of an HTTP request. Judge as verdict.h says. */
enum verdict sight_hello(struct sight *sight, size_t *ret_needed);
enum verdict sight_host(struct sight *sight, size_t *ret_needed);

/*
 * Asks the system who a UNIX peer is: SO_PEERCRED, or getpeereid(3).
 * fd: a connected UNIX socket.
 * Returns 0 or a negative errno; -EOPNOTSUPP where there is neither.
 */
int sight_identify(int fd, uid_t *ret_uid, gid_t *ret_gid);

#endif
