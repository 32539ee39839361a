/*
 * launch_activate_socket() for a whole adoptd: tests/integration/launchd.py answers it.
 *
 * LAUNCHD_SIMULATOR is the path of its socket, of records: one is the name, the answer is
 * the error's number, or 0 and the descriptors. Where it is not set, nobody manages us.
 * With LAUNCHD_CLOEXEC they are close-on-exec: Apple does not say what they are.
 */
#include <errno.h>
#include <launch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FDS_MAX 16

struct answer {
	int error;
	int fds[FDS_MAX];
	size_t count;
};

static int ask(const char *path, const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	if (fd < 0)
		return -1;
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
	    send(fd, name, strlen(name), 0) >= 0)
		return fd;
	close(fd);
	return -1;
}

static void take_descriptors(struct msghdr *message, struct answer *answer)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
	     part = CMSG_NXTHDR(message, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		answer->count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(answer->fds, CMSG_DATA(part), answer->count * sizeof(int));
	}
}

static bool hear(int fd, bool close_on_exec, struct answer *ret)
{
	char text[32] = "";
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
	struct iovec vector = {.iov_base = text, .iov_len = sizeof text - 1};
	struct msghdr message = {.msg_iov = &vector,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof control};

	if (recvmsg(fd, &message, close_on_exec ? MSG_CMSG_CLOEXEC : 0) <= 0)
		return false;
	take_descriptors(&message, ret);
	return sscanf(text, "%d", &ret->error) == 1;
}

int launch_activate_socket(const char *name, int **fds, size_t *cnt)
{
	const char *path = getenv("LAUNCHD_SIMULATOR");
	struct answer answer = {0};
	int fd = path ? ask(path, name) : -1;
	bool heard;

	if (fd < 0)
		return ESRCH;
	heard = hear(fd, getenv("LAUNCHD_CLOEXEC") != NULL, &answer);
	close(fd);
	if (!heard)
		return ESRCH;
	if (answer.error)
		return answer.error;
	/* One byte more, so that an empty array is one to be freed too. */
	*fds = malloc(answer.count * sizeof **fds + 1);
	if (!*fds)
		return ENOMEM;
	memcpy(*fds, answer.fds, answer.count * sizeof **fds);
	*cnt = answer.count;
	return 0;
}
