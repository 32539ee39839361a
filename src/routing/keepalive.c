#include "keepalive.h"

#include <netinet/tcp.h>

void keepalive_set(struct adopt_transport *transport, uint64_t idle_ms)
{
	int fd = adopt_transport_descriptor(transport);
	int on = 1, seconds = (int)((idle_ms + 999) / 1000);

	if (idle_ms == 0 || fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
#if defined TCP_KEEPIDLE
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
#elif defined TCP_KEEPALIVE
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPALIVE, &seconds, sizeof seconds);
#endif
#if defined TCP_KEEPINTVL
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
#endif
}
