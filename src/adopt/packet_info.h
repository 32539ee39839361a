/* packet_info.h - the address that a datagram was sent to, on a socket that is bound to
 * all of the host's (ip(7): IP_PKTINFO; RFC 3542: IPV6_PKTINFO); without them, nothing is
 * known */
#ifndef ADOPT_PACKET_INFO_H
#define ADOPT_PACKET_INFO_H

#include "adopt.h"

/* Room for one control message of either family. */
union packet_info {
	struct cmsghdr header;
	unsigned char bytes[64];
};

/*
 * Asks the system to tell each datagram's address.
 * own: what the socket is bound to.
 * Returns whether it will: the address is IPv4's or IPv6's wildcard.
 */
bool packet_info_enable(int fd, const struct adopt_address *own);

/*
 * Reads the address from a message that was received with msg_control.
 * local: holds what the socket is bound to; its host is filled in. `length` is set to
 * 0 if there is none that an answer could come from.
 */
void packet_info_read(struct msghdr *message, struct adopt_address *local);

/*
 * Has a message come from an address.
 * info: the caller's, to live until the message is sent.
 */
void packet_info_write(struct msghdr *message, const struct adopt_address *from,
		       union packet_info *info);

#endif
