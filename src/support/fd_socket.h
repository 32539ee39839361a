/* fd_socket.h - descriptors from process to process: SCM_RIGHTS of unix(7) */
#ifndef SUPPORT_FD_SOCKET_H
#define SUPPORT_FD_SOCKET_H

#include "fd_message.h"

#include <sys/types.h>

/*
 * Sends what is left of a message, as much of it as goes without waiting.
 * fd: a non-blocking UNIX stream socket.
 * message: not changed.
 * sent: how many of its bytes have been sent; 0 before the first call.
 * Returns 0 when all of it is sent; -EAGAIN where the rest must wait until the socket can be
 * written to; a negative errno from sendmsg(2).
 */
int fd_socket_send(int fd, struct fd_message *message, size_t *sent);

/* Sends a whole message, and waits where it must. Returns 0; -ETIMEDOUT; what
 * fd_socket_send() returns. */
int fd_socket_send_all(int fd, struct fd_message *message, uint64_t timeout_ms);

/* As many descriptors as may come at once: Linux's SCM_MAX_FD. */
#define FD_SOCKET_FDS_MAX 253

/* A message that has come. */
struct fd_received {
	struct fd_message_header header;
	unsigned char *body;        /* header.body_bytes of them; NULL: none */
	int fds[FD_SOCKET_FDS_MAX]; /* -1 where it has been taken out */
	size_t fd_count;            /* as the header says */
};

/*
 * Receives a message.
 * fd: a non-blocking UNIX stream socket.
 * timeout_ms: for all of it; 0: it must be there already.
 * ret: free with fd_received_done(). Its descriptors are close-on-exec.
 * Returns 0; -ETIMEDOUT; -ECONNRESET where the other side is gone; -EBADMSG where more or
 * fewer descriptors came than the header says; what fd_message_read_header() returns;
 * -ENOMEM; a negative errno from recvmsg(2).
 */
int fd_socket_receive(int fd, uint64_t timeout_ms, struct fd_received *ret);

/*
 * Receives some bytes, as soon as there are any, and adds the descriptors that travel with
 * them: for those who give in another way.
 * received: initialize with zeros. Free it with fd_received_done(), on failure too.
 * Returns how many bytes; 0 at the end; -ETIMEDOUT; -EBADMSG where more descriptors came than
 * there is room for; a negative errno from recvmsg(2).
 */
ssize_t fd_socket_read(int fd, void *to, size_t length, uint64_t timeout_ms,
		       struct fd_received *received);

/* Return when a time will be over that begins now, and how much of it is left by now: for
 * who waits more than once. */
uint64_t fd_socket_until(uint64_t timeout_ms);
uint64_t fd_socket_left(uint64_t until_ms);

/* Frees the body, and closes the descriptors that were not taken out. */
void fd_received_done(struct fd_received *received);

#endif
