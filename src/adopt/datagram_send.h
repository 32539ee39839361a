/* datagram_send.h - datagrams out, by as few calls to the system as it takes */
#ifndef ADOPT_DATAGRAM_SEND_H
#define ADOPT_DATAGRAM_SEND_H

#include "segments.h"

/*
 * Sends datagrams in order.
 * segments: the socket's, to be kept for the next time.
 * like: whom all are for and whom they are from, as for sendmsg(), without a vector.
 * datagrams: `data` and `length` of each; count: at least 1.
 * Returns how many of the first were sent, at least 1; or a negative errno for the first.
 */
int datagram_send(int fd, struct segments *segments, const struct msghdr *like,
		  const struct adopt_datagram *datagrams, size_t count);

#endif
