#include "fd_socket.h"

#include "adopt/adopt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef MSG_CMSG_CLOEXEC
#define MSG_CMSG_CLOEXEC 0
#endif
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

/* Aligned as its headers must be. */
union control {
	struct cmsghdr header;
	unsigned char bytes[CMSG_SPACE(FD_SOCKET_FDS_MAX * sizeof(int))];
};

/* --- waiting --- */

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t fd_socket_until(uint64_t timeout_ms)
{
	return now_ms() + timeout_ms;
}

uint64_t fd_socket_left(uint64_t until_ms)
{
	uint64_t now = now_ms();

	return until_ms > now ? until_ms - now : 0;
}

/* Waits until the socket can be read from or written to. Returns 0; -ETIMEDOUT; a negative
 * errno. */
static int wait_for(int fd, short events, uint64_t until_ms)
{
	struct pollfd wanted = {.fd = fd, .events = events};

	for (;;) {
		uint64_t left = fd_socket_left(until_ms);
		int ready = poll(&wanted, 1, left > INT_MAX ? INT_MAX : (int)left);

		if (ready > 0)
			return 0;
		if (ready < 0 && errno != EINTR)
			return -errno;
		if (ready == 0 && left <= INT_MAX)
			return -ETIMEDOUT;
	}
}

/* --- sending --- */

/* Has the descriptors travel with the first byte. */
static void attach(struct msghdr *header, union control *control, const struct fd_message *message)
{
	size_t bytes = message->fd_count * sizeof(int);
	struct cmsghdr *first;

	header->msg_control = control;
	header->msg_controllen = CMSG_SPACE(bytes);
	first = CMSG_FIRSTHDR(header);
	first->cmsg_level = SOL_SOCKET;
	first->cmsg_type = SCM_RIGHTS;
	first->cmsg_len = CMSG_LEN(bytes);
	memcpy(CMSG_DATA(first), message->fds, bytes);
}

static ssize_t send_some(int fd, struct fd_message *message, size_t sent)
{
	union control control = {0};
	struct iovec bytes = {.iov_base = &message->bytes[sent], .iov_len = message->length - sent};
	struct msghdr header = {.msg_iov = &bytes, .msg_iovlen = 1};
	ssize_t length;

	if (sent == 0 && message->fd_count > 0)
		attach(&header, &control, message);
	do
		length = sendmsg(fd, &header, MSG_NOSIGNAL);
	while (length < 0 && errno == EINTR);
	return length;
}

int fd_socket_send(int fd, struct fd_message *message, size_t *sent)
{
	while (*sent < message->length) {
		ssize_t length = send_some(fd, message, *sent);

		if (length < 0)
			return errno == EWOULDBLOCK ? -EAGAIN : -errno;
		*sent += (size_t)length;
	}
	return 0;
}

int fd_socket_send_all(int fd, struct fd_message *message, uint64_t timeout_ms)
{
	uint64_t until_ms = fd_socket_until(timeout_ms);
	size_t sent = 0;
	int error;

	while ((error = fd_socket_send(fd, message, &sent)) == -EAGAIN) {
		error = wait_for(fd, POLLOUT, until_ms);
		if (error < 0)
			break;
	}
	return error;
}

/* --- receiving --- */

static int take_fd(struct fd_received *received, int fd)
{
	if (received->fd_count == FD_SOCKET_FDS_MAX) {
		close(fd);
		return -EBADMSG;
	}
	if (MSG_CMSG_CLOEXEC == 0)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	received->fds[received->fd_count++] = fd;
	return 0;
}

static int take_fds(struct fd_received *received, struct msghdr *header)
{
	int error = header->msg_flags & MSG_CTRUNC ? -EBADMSG : 0;

	for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at; at = CMSG_NXTHDR(header, at)) {
		size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(at) + i * sizeof fd, sizeof fd);
			if (take_fd(received, fd) < 0)
				error = -EBADMSG;
		}
	}
	return error;
}

/* Returns how many bytes; 0 at the end; a negative errno. */
static ssize_t receive_some(int fd, unsigned char *to, size_t length, struct fd_received *received)
{
	union control control = {0};
	struct iovec bytes = {.iov_base = to, .iov_len = length};
	struct msghdr header = {.msg_iov = &bytes,
				.msg_iovlen = 1,
				.msg_control = &control,
				.msg_controllen = sizeof control};
	ssize_t got;
	int error;

	do
		got = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	error = take_fds(received, &header);
	return error < 0 ? error : got;
}

ssize_t fd_socket_read(int fd, void *to, size_t length, uint64_t timeout_ms,
		       struct fd_received *received)
{
	uint64_t until_ms = fd_socket_until(timeout_ms);
	ssize_t got;

	while ((got = receive_some(fd, to, length, received)) == -EAGAIN) {
		int error = wait_for(fd, POLLIN, until_ms);

		if (error < 0)
			return error;
	}
	return got;
}

static int receive_all(int fd, unsigned char *to, size_t length, uint64_t until_ms,
		       struct fd_received *received)
{
	while (length > 0) {
		ssize_t got = fd_socket_read(fd, to, length, fd_socket_left(until_ms), received);

		if (got <= 0)
			return got < 0 ? (int)got : -ECONNRESET;
		to += got;
		length -= (size_t)got;
	}
	return 0;
}

static int receive(int fd, uint64_t until_ms, struct fd_received *received)
{
	unsigned char bytes[FD_MESSAGE_HEADER_BYTES];
	int error = receive_all(fd, bytes, sizeof bytes, until_ms, received);

	if (error == 0)
		error = fd_message_read_header(bytes, &received->header);
	if (error < 0)
		return error;
	if (received->header.body_bytes > 0) {
		received->body = malloc(received->header.body_bytes);
		if (!received->body)
			return -ENOMEM;
	}
	error = receive_all(fd, received->body, received->header.body_bytes, until_ms, received);
	if (error == 0 && received->fd_count != received->header.fd_count)
		error = -EBADMSG;
	return error;
}

int fd_socket_receive(int fd, uint64_t timeout_ms, struct fd_received *ret)
{
	struct fd_received received = {0};
	int error = receive(fd, fd_socket_until(timeout_ms), &received);

	if (error < 0)
		fd_received_done(&received);
	else
		*ret = received;
	return error;
}

void fd_received_done(struct fd_received *received)
{
	for (size_t i = 0; i < received->fd_count; i++)
		if (received->fds[i] >= 0)
			close(received->fds[i]);
	free(received->body);
	*received = (struct fd_received){0};
}
