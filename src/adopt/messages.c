#include "messages.h"

#include "socket.h"

#include <errno.h>

/* So many share the cost of a call that it does not matter any more. */
#define AT_A_TIME 64

unsigned messages_at_a_time(void)
{
	return AT_A_TIME;
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
