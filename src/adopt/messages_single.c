/* Where the system has no call for several: one at a time. */
#include "messages.h"

#include "socket.h"

#include <errno.h>

unsigned messages_at_a_time(void)
{
	return 1;
}

int messages_receive(int fd, struct mmsghdr *messages, unsigned count)
{
	ssize_t length = recvmsg(fd, &messages->msg_hdr, MSG_DONTWAIT);

	(void)count;
	if (length < 0)
		return -errno;
	messages->msg_len = (unsigned)length;
	return 1;
}

int messages_send(int fd, struct mmsghdr *messages, unsigned count)
{
	ssize_t sent;

	(void)count;
	do
		sent = sendmsg(fd, &messages->msg_hdr, socket_send_flags());
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 1;
}
