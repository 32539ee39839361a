/* messages.h - datagrams from a socket and to it, as many with one system call as the system
 * lets through */
#ifndef ADOPT_MESSAGES_H
#define ADOPT_MESSAGES_H

#include <sys/socket.h>
#include <sys/uio.h>

#ifndef HAVE_RECVMMSG
/* As recvmmsg(2) has it. */
struct mmsghdr {
	struct msghdr msg_hdr;
	unsigned msg_len;
};
#endif

/* Returns how many messages_receive() takes at most: ADOPT_DATAGRAMS_MAX, or 1. */
unsigned messages_at_a_time(void);

/*
 * Receives what waits, without blocking, whatever another holder of the socket has made of
 * it. Sources: recvmmsg(2), recvmsg(2)
 * messages: as for recvmsg(), and filled in alike; each length is in `msg_len`.
 * count: 1 to messages_at_a_time(). Where fewer came, no more waited.
 * Returns how many came, at least 1; or a negative errno: nothing waits, or an error that is
 * older than what does.
 */
int messages_receive(int fd, struct mmsghdr *messages, unsigned count);

/*
 * Sends in order. Sources: sendmmsg(2), sendmsg(2)
 * messages: as for sendmsg(), at least one.
 * Returns how many of the first were sent, at least 1; or a negative errno for the first.
 */
int messages_send(int fd, struct mmsghdr *messages, unsigned count);

#endif
