#include "notify_socket.h"

#include "adopt/adopt.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

/* A supervisor that does not listen for so long has other troubles. */
#define PATIENCE_S 5

static int find_address(struct adopt_address *ret)
{
	const char *text = getenv("NOTIFY_SOCKET");
	struct adopt_address address = {.name.un.sun_family = AF_UNIX};
	size_t length = text ? strlen(text) : 0;

	if (length == 0)
		return -ENOENT;
	if (text[0] != '/' && text[0] != '@')
		return -EAFNOSUPPORT;
	if (length >= sizeof address.name.un.sun_path)
		return -ENAMETOOLONG;
	memcpy(address.name.un.sun_path, text, length);
	if (text[0] == '@')
		address.name.un.sun_path[0] = '\0';
	/* An abstract name has no NUL at its end. */
	address.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length +
				     (text[0] == '/' ? 1 : 0));
	*ret = address;
	return 0;
}

/* One that is kept; -1: each datagram has its own. Set before there are threads. */
static int kept_fd = -1;

/* It waits for room, which one that has many services to listen to may not have for a moment:
 * a word that is lost may cost the service its life. */
static int open_socket(int *ret)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};
	int sock, error = adopt_socket_create(AF_UNIX, SOCK_DGRAM, &sock);

	if (error < 0)
		return error;
	if (fcntl(sock, F_SETFL, 0) < 0 ||
	    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0) {
		error = -errno;
		close(sock);
		return error;
	}
	*ret = sock;
	return 0;
}

int notify_socket_keep(void)
{
	return kept_fd < 0 && getenv("NOTIFY_SOCKET") ? open_socket(&kept_fd) : 0;
}

static int send_in_time(int sock, const struct msghdr *message)
{
	while (sendmsg(sock, message, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return errno == EAGAIN || errno == EWOULDBLOCK ? -ETIMEDOUT : -errno;
	return 0;
}

int notify_socket_send(const char *text, int fd)
{
	struct adopt_address address;
	union {
		struct cmsghdr header;
		unsigned char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec bytes = {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};
	struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
	int error = find_address(&address), sock = kept_fd;

	if (error == 0 && sock < 0)
		error = open_socket(&sock);
	if (error < 0)
		return error;
	message.msg_name = &address.name;
	message.msg_namelen = address.length;
	if (fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof control.bytes;
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
	}
	error = send_in_time(sock, &message);
	if (sock != kept_fd)
		close(sock);
	return error;
}
