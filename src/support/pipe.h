/* pipe.h - pipes, and pairs of sockets, that no child inherits by accident */
#ifndef SUPPORT_PIPE_H
#define SUPPORT_PIPE_H

/*
 * Opens a pipe, both ends close-on-exec (from birth where the system can) and blocking.
 * ret: the end to read from and the one to write to, the caller's.
 * Returns 0 or a negative errno from pipe(2).
 */
int pipe_open(int ret[2]);

/*
 * Opens a pair of UNIX sockets that are connected to each other, close-on-exec (from birth
 * where the system can) and non-blocking.
 * type: SOCK_STREAM or SOCK_SEQPACKET.
 * ret: the caller's.
 * Returns 0 or a negative errno from socketpair(2) or fcntl(2).
 */
int pipe_open_sockets(int type, int ret[2]);

#endif
