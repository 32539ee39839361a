/*
 * haproxy.h - asks an HAProxy for its listening sockets, as its next version does: -x of
 * haproxy(1)
 *
 * On its stats socket, which needs `level admin` and `expose-fd listeners`: `_getsocks` is
 * answered with a count, an int of this machine, and batches of descriptors. With each
 * descriptor comes a record: the length (1 byte) and name of a network namespace, the same
 * of an interface, and 4 bytes of options. Each batch is answered with an int.
 */
#ifndef ACTIVATION_HAPROXY_H
#define ACTIVATION_HAPROXY_H

#include <stddef.h>
#include <stdint.h>

struct haproxy_sockets {
	int *fds; /* -1 where it has been taken out */
	size_t count;
};

/*
 * Asks, and waits for all of the answer.
 * fd: a non-blocking connection to the stats socket.
 * timeout_ms: for all of it.
 * ret: free with haproxy_sockets_done(). The descriptors are close-on-exec.
 * Returns 0; -ETIMEDOUT; -ECONNRESET where it has ended before; -EBADMSG where HAProxy does
 * not answer so; -ENOMEM; a negative errno from sendmsg(2) or recvmsg(2).
 */
int haproxy_ask(int fd, uint64_t timeout_ms, struct haproxy_sockets *ret);

/* Closes those that were not taken out, and frees the rest. */
void haproxy_sockets_done(struct haproxy_sockets *sockets);

#endif
