/* listen.h - sockets of adoptd's own, where nobody handed one over */
#ifndef DAEMON_LISTEN_H
#define DAEMON_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* One socket that was opened. Sets may share it; the last one closes it. */
struct listen_socket {
	unsigned references;
	int fd;
	char *text; /* it was opened for this `listen` address */
	char *path; /* of the UNIX socket that was made, else NULL */
	dev_t device;
	ino_t inode;
};

/* Sockets that were opened. Initialize with zeros. */
struct listen_set {
	struct listen_socket **items;
	size_t count;
};

/*
 * Judges the text of a `listen` address, without opening or resolving anything:
 * what endpoint_check() takes, with a prefix `udp:` for a datagram socket, or
 * `unix-dgram:` or `unix-seqpacket:` in place of `unix:`.
 * Returns 0; -EINVAL; -ENAMETOOLONG; -EAFNOSUPPORT; -ENODEV.
 */
int listen_check(const char *text);

/* Tells whether a `listen` address is a datagram socket's. */
bool listen_is_datagram(const char *text);

/* Tells whether a `listen` address is that of a UNIX socket other than for datagrams. */
bool listen_is_unix_stream(const char *text);

/*
 * Opens all sockets that a `listen` address stands for: a name may have several
 * addresses. They are non-blocking and close-on-exec from birth; an IPv6 one
 * takes no IPv4. A UNIX path that nobody answers on is replaced. Asks the
 * resolver, so it may block.
 * set: they are added to it; on failure it is as before.
 * Returns 0; what listen_check() and endpoint_resolve() return; -EADDRINUSE,
 * also for a UNIX path that somebody answers on or that is no socket; another
 * negative errno from socket(2), bind(2) or listen(2).
 */
int listen_open(struct listen_set *set, const char *text);

/*
 * Adds to a set what another one has opened for the same text.
 * Returns how many sockets; 0 where there are none; -ENOMEM.
 */
int listen_reuse(struct listen_set *set, const struct listen_set *other, const char *text);

/*
 * Empties the set, and closes the sockets that no other set has. A UNIX path is
 * unlinked, unless it is another's by now.
 */
void listen_close(struct listen_set *set);

#endif
