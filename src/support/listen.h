/* listen.h - sockets of adoptd's own, where nobody handed one over */
#ifndef SUPPORT_LISTEN_H
#define SUPPORT_LISTEN_H

#include "adopt/adopt.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* One socket that was opened. Sets may share it; the last one closes it. */
struct listen_socket {
	unsigned references;
	int fd;
	char *path; /* of the UNIX socket that was made, else NULL */
	dev_t device;
	ino_t inode;
	bool path_stays; /* when this is closed: others have the socket too */
};

struct listen_item {
	struct listen_socket *socket;
	char *text; /* the `listen` address that it is for; empty where that is not known */
};

/* Sockets that were opened. Initialize with zeros. */
struct listen_set {
	struct listen_item *items;
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
 * Turns a `listen` address into those that it stands for. Asks the resolver, so it may
 * block.
 * ret: malloc'ed, the caller's; at least one.
 * ret_type: of the sockets: SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET.
 * Returns 0; what listen_check() and endpoint_resolve() return.
 */
int listen_resolve(const char *text, struct adopt_address **ret, size_t *ret_count, int *ret_type);

/*
 * Has all sockets that a `listen` address stands for: a name may have several
 * addresses. What another set has for the same text, or else for the same address, is
 * shared with it. All others are opened: non-blocking and close-on-exec from birth; an
 * IPv6 one takes no IPv4. A UNIX path that nobody answers on is replaced. May ask the
 * resolver, and so block.
 * set: they are added to it; on failure it is as before.
 * before: the other set, NULL for none.
 * Returns 0; what listen_resolve() returns; -EADDRINUSE, also for what the set has already,
 * or for a UNIX path that somebody answers on or that is no socket; another negative errno
 * from socket(2), bind(2) or listen(2).
 */
int listen_open(struct listen_set *set, const struct listen_set *before, const char *text);

/* Who may connect to a UNIX socket. */
struct listen_access {
	mode_t mode;
	gid_t group; /* (gid_t)-1: adoptd's own */
};

/*
 * Has a UNIX stream socket at a path, as listen_open() has those of an address, and gives
 * it its mode and its group before anybody can connect to it. One of the other set is
 * shared where it still is what the path leads to, and given these as well.
 * Returns 0; -ENAMETOOLONG; -EPERM where the group is none that adoptd may give it to; what
 * listen_open() returns.
 */
int listen_open_path(struct listen_set *set, const struct listen_set *before, const char *path,
		     const struct listen_access *access);

/*
 * Adds a socket that another adoptd opened, which has it still, or had it kept for this
 * one: a UNIX path stays until listen_leave_paths() says otherwise.
 * fd: the set's from now on, on success only.
 * text: as in struct listen_item.
 * Returns 0; -ENOTSOCK; -ENOENT where nobody can reach it, as its path is gone; -ENOMEM;
 * another negative errno.
 */
int listen_take(struct listen_set *set, int fd, const char *text);

/* Tells whether a set has a socket. */
bool listen_has(const struct listen_set *set, const struct listen_socket *socket);

/* Says whether the UNIX paths of all its sockets stay when these are closed. */
void listen_leave_paths(struct listen_set *set, bool leave);

/*
 * Empties the set, and closes the sockets that no other set has. A UNIX path is
 * unlinked, unless it is another's by now, or is to stay.
 */
void listen_close(struct listen_set *set);

#endif
