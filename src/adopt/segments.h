/* segments.h - several datagrams of one length as one message, which the system parts when
 * all but the wire is behind it (UDP_SEGMENT, also called GSO) */
#ifndef ADOPT_SEGMENTS_H
#define ADOPT_SEGMENTS_H

#include "packet_info.h"

#include <sys/uio.h>

/* What is known of a socket: begin with all zeros. */
struct segments {
	bool known;     /* whether the system can at all */
	size_t longest; /* of a datagram, with which that is known, or may be tried */
};

/* Room for a message's control messages. */
union segments_control {
	struct cmsghdr header;
	unsigned char bytes[sizeof(union packet_info) + 32];
};

/*
 * Tells how many of the first can go as one message.
 * fd: the socket, which is asked the first time.
 * pieces: a datagram each; count: at least 1.
 * Returns that, or 1 where the first one goes by itself.
 */
unsigned segments_run(struct segments *segments, int fd, const struct iovec *pieces,
		      unsigned count);

/*
 * Has a message be parted.
 * message: its control messages, if it has any, are copied.
 * room: the caller's, to live until the message is sent.
 * length: of each datagram in it.
 */
void segments_mark(struct msghdr *message, union segments_control *room, size_t length);

/*
 * Takes notice of a message that could not be sent, though its datagrams could.
 * length: of each.
 * error: the negative errno. One of length leaves hope for shorter ones, a shortage for all.
 */
void segments_failed(struct segments *segments, size_t length, int error);

#endif
