/* What an HAProxy answers: any bytes, with any descriptors at any place. It is heard to its end
 * without waiting, and every descriptor that came is either among those that are told of or
 * closed. */
#include "activation/haproxy.h"
#include "fuzz_verdict.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FDS_MAX 253

static int count_open(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	FUZZ_REQUIRE(directory != NULL);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

/* Sends some bytes, with so many copies of a descriptor. */
static void send_piece(int fd, const uint8_t *data, size_t length, size_t fds)
{
	static union {
		struct cmsghdr header;
		unsigned char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
	struct iovec bytes = {.iov_base = malloc(length), .iov_len = length};
	struct msghdr header = {.msg_iov = &bytes, .msg_iovlen = 1};

	FUZZ_REQUIRE(bytes.iov_base != NULL);
	memcpy(bytes.iov_base, data, length);
	if (fds > 0) {
		struct cmsghdr *first;

		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(fds * sizeof(int));
		first = CMSG_FIRSTHDR(&header);
		first->cmsg_level = SOL_SOCKET;
		first->cmsg_type = SCM_RIGHTS;
		first->cmsg_len = CMSG_LEN(fds * sizeof(int));
		for (size_t i = 0; i < fds; i++)
			memcpy(CMSG_DATA(first) + i * sizeof(int), &fd, sizeof fd);
	}
	FUZZ_REQUIRE(sendmsg(fd, &header, MSG_NOSIGNAL) == (ssize_t)length);
	free(bytes.iov_base);
}

/* Pieces: how many descriptors, how many bytes, and these. */
static void send_all(int fd, const uint8_t *data, size_t length)
{
	size_t room = FDS_MAX + 10;

	while (length > 2) {
		size_t fds = data[0] < FDS_MAX ? data[0] : FDS_MAX, bytes = data[1];

		/* More the system may not let travel at a time. */
		if (fds > room)
			fds = room;
		room -= fds;
		data += 2;
		length -= 2;
		if (bytes > length)
			bytes = length;
		if (bytes > 0)
			send_piece(fd, data, bytes, fds);
		data += bytes;
		length -= bytes;
	}
	FUZZ_REQUIRE(shutdown(fd, SHUT_WR) == 0);
}

static void check(int fd)
{
	struct haproxy_sockets sockets = {0};
	int error = haproxy_ask(fd, 0, &sockets);

	FUZZ_REQUIRE(error <= 0);
	FUZZ_REQUIRE(error == 0 || (!sockets.fds && sockets.count == 0));
	for (size_t i = 0; i < sockets.count; i++)
		FUZZ_REQUIRE(fcntl(sockets.fds[i], F_GETFD) == FD_CLOEXEC);
	haproxy_sockets_done(&sockets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static int open_before = -1;
	int pair[2];

	if (length > 2048)
		return 0;
	if (open_before < 0)
		open_before = count_open();
	FUZZ_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	send_all(pair[1], data, length);
	check(pair[0]);
	close(pair[0]);
	close(pair[1]);
	FUZZ_REQUIRE(count_open() == open_before);
	return 0;
}
