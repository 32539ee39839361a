/* unix_socket.h - UNIX stream sockets by their path: unix(7) */
#ifndef SUPPORT_UNIX_SOCKET_H
#define SUPPORT_UNIX_SOCKET_H

/*
 * Connects to one, without waiting.
 * path: an absolute or relative path, or `@` and an abstract name.
 * ret: the caller's; non-blocking and close-on-exec.
 * Returns 0; -ENAMETOOLONG; -EAGAIN where as many wait to be accepted as may; another
 * negative errno from socket(2) or connect(2).
 */
int unix_socket_connect(const char *path, int *ret);

#endif
