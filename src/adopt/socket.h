/* socket.h - descriptors: what they are, and hygiene */
#ifndef ADOPT_SOCKET_H
#define ADOPT_SOCKET_H

#include "adopt.h"

/* Closes a descriptor and keeps errno. Harmless for -1. */
void socket_close(int fd);

/* Duplicates a descriptor, close-on-exec from birth, never below 3. Returns the
 * duplicate or a negative errno. */
int socket_duplicate(int fd);

/*
 * Judges a descriptor that is to be adopted, in the contract's order.
 * family: what the caller says it is, or AF_UNSPEC.
 * datagram: whether a datagram socket is wanted, else a stream.
 * ret: what it is; its family tells the found one.
 * Returns 0, -EBADF, -ENOTSOCK, -ESOCKTNOSUPPORT, -EAFNOSUPPORT or -EWOULDBLOCK.
 */
int socket_judge(int fd, int family, bool datagram, struct adopt_socket_kind *ret);

/*
 * Accepts a client, non-blocking and close-on-exec.
 * ret_peer: its address.
 * Returns the descriptor or a negative errno.
 */
int socket_accept(int fd, struct adopt_address *ret_peer);

/* Has a stream socket raise no SIGPIPE, where sending cannot be told so. */
void socket_no_sigpipe(int fd);

/* Has a TCP socket send what is small at once. Source: tcp(7), TCP_NODELAY */
void socket_no_delay(int fd);

/* Has close() reset a TCP connection instead of ending it in order. */
void socket_reset_on_close(int fd);

/* Flags for send(): no SIGPIPE where a flag says so. */
int socket_send_flags(void);

/* Tell a socket's own and its peer's address. Return 0 or a negative errno. */
int socket_local(int fd, struct adopt_address *ret);
int socket_peer(int fd, struct adopt_address *ret);

#endif
