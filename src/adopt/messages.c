#include "messages.h"

#include "socket.h"

#include <errno.h>

unsigned messages_at_a_time(void)
{
	return ADOPT_DATAGRAMS_MAX;
}

int messages_receive(int fd, struct mmsghdr *messages, unsigned count)
{
	int received = recvmmsg(fd, messages, count, MSG_DONTWAIT, NULL);

	return received < 0 ? -errno : received;
}

int messages_send(int fd, struct mmsghdr *messages, unsigned count)
{
	int sent;

	do
		sent = sendmmsg(fd, messages, count, socket_send_flags());
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}
