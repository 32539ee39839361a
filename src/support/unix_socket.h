/* unix_socket.h - UNIX stream sockets by their path: unix(7) */
#ifndef SUPPORT_UNIX_SOCKET_H
#define SUPPORT_UNIX_SOCKET_H

#include <sys/types.h>

/*
 * Connects to one, without waiting.
 * path: an absolute or relative path, or `@` and an abstract name.
 * ret: the caller's; non-blocking and close-on-exec.
 * Returns 0; -ENAMETOOLONG; -EAGAIN where as many wait to be accepted as may; another
 * negative errno from socket(2) or connect(2).
 */
int unix_socket_connect(const char *path, int *ret);

/*
 * Tells who is at the other end, as of when that connected or began to listen.
 * Returns 0; -EOPNOTSUPP where the system does not tell; a negative errno from
 * getsockopt(2).
 */
int unix_socket_peer(int fd, uid_t *ret_user, gid_t *ret_group);

#endif
