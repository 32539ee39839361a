#include "segments.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

/* What a packet of IPv6 carries, less a header of UDP. */
#define MESSAGE_BYTES_MAX (65535 - 40 - 8)

/* A socket that is not of UDP, or on an old system, would send all as one datagram: what
 * does not know the option does not look at the control message. */
static void ask(struct segments *segments, int fd)
{
	int set = 0;
	socklen_t length = sizeof set;

	segments->known = true;
	if (getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &set, &length) == 0 && set == 0)
		segments->longest = MESSAGE_BYTES_MAX;
}

unsigned segments_run(struct segments *segments, int fd, const struct iovec *pieces, unsigned count)
{
	size_t length = pieces->iov_len;
	unsigned run = 1;

	while (run < count && pieces[run].iov_len == length &&
	       (run + 1) * length <= MESSAGE_BYTES_MAX)
		run++;
	if (run == 1 || length == 0)
		return 1;
	if (!segments->known)
		ask(segments, fd);
	return length <= segments->longest ? run : 1;
}

void segments_mark(struct msghdr *message, union segments_control *room, size_t length)
{
	size_t before = message->msg_controllen;
	struct cmsghdr *header = (struct cmsghdr *)(room->bytes + before);
	const uint16_t size = (uint16_t)length;

	_Static_assert(CMSG_SPACE(sizeof size) <= sizeof *room - sizeof(union packet_info),
		       "room for both");
	memset(room, 0, sizeof *room);
	if (before > 0)
		memcpy(room->bytes, message->msg_control, before);
	header->cmsg_level = IPPROTO_UDP;
	header->cmsg_type = UDP_SEGMENT;
	header->cmsg_len = CMSG_LEN(sizeof size);
	memcpy(CMSG_DATA(header), &size, sizeof size);
	message->msg_control = room;
	message->msg_controllen = before + CMSG_SPACE(sizeof size);
}

void segments_failed(struct segments *segments, size_t length, int error)
{
	if (error == -ENOMEM || error == -ENOBUFS)
		return;
	/* Before Linux 6.14, what is longer than the way is told as EINVAL. */
	segments->longest = error == -EMSGSIZE || error == -EINVAL ? length - 1 : 0;
}
