#include "kind.h"

#include "adopt/adopt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/vfs.h>

#define MQUEUE_MAGIC_NUMBER 0x19800202    /* ipc/mqueue.c */
#define FUNCTIONFS_MAGIC_NUMBER 0xa647361 /* linux/usb/functionfs.h */

/* These look like regular files, but for their file system. */
static const char *special_file_system(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return NULL;
	if (fs.f_type == MQUEUE_MAGIC_NUMBER)
		return "a message queue (ListenMessageQueue=)";
	if (fs.f_type == FUNCTIONFS_MAGIC_NUMBER)
		return "a USB function (ListenUSBFunction=)";
	return NULL;
}
#else
static const char *special_file_system(int fd)
{
	(void)fd;
	return NULL;
}
#endif

/* epoll, eventfd, timerfd and their like have no type of file; Linux tells a name. */
static char *describe_anonymous(int fd, char *buffer, size_t size)
{
	char link[32], target[64];
	ssize_t length;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	length = readlink(link, target, sizeof target - 1);
	target[length > 0 ? length : 0] = '\0';
	if (strncmp(target, "anon_inode:", 11) == 0)
		snprintf(buffer, size, "a kernel object, %s", target + 11);
	else
		snprintf(buffer, size, "a kernel object");
	return buffer;
}

static char *describe_file(int fd, char *buffer, size_t size)
{
	const char *text = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0) {
		snprintf(buffer, size, "not open");
		return buffer;
	}
	switch (st.st_mode & S_IFMT) {
	case S_IFIFO:
		text = "a FIFO (ListenFIFO=)";
		break;
	case S_IFCHR:
		text = "a character device (ListenSpecial=)";
		break;
	case S_IFBLK:
		text = "a block device (ListenSpecial=)";
		break;
	case S_IFDIR:
		text = "a directory";
		break;
	case S_IFREG:
		text = special_file_system(fd);
		if (!text)
			text = "a regular file (ListenSpecial=, OpenFile=)";
		break;
	default:
		return describe_anonymous(fd, buffer, size);
	}
	snprintf(buffer, size, "%s", text);
	return buffer;
}

static const char *type_text(const struct adopt_socket_kind *kind)
{
	switch (kind->type) {
	case SOCK_STREAM:
		return "stream";
	case SOCK_SEQPACKET:
		return "seqpacket";
	case SOCK_DGRAM:
		return "datagram";
	case SOCK_RAW:
		return "raw";
	default:
		return "unusual";
	}
}

static char *describe_socket(const struct adopt_socket_kind *kind, char *buffer, size_t size)
{
	const char *state = kind->listening ? "listening " : kind->connected ? "connected " : "";

#ifdef AF_NETLINK
	if (kind->family == AF_NETLINK) {
		snprintf(buffer, size, "a netlink socket (ListenNetlink=)");
		return buffer;
	}
#endif
	if (adopt_family_supported(kind->family))
		snprintf(buffer, size, "a %s%s socket", state, type_text(kind));
	else
		snprintf(buffer, size, "a socket of address family %d", kind->family);
	if ((kind->type == SOCK_STREAM || kind->type == SOCK_SEQPACKET) && !*state)
		strncat(buffer, " that neither listens nor is connected",
			size - strlen(buffer) - 1);
	return buffer;
}

char *kind_describe(int fd, char *buffer, size_t size)
{
	struct adopt_socket_kind kind;

	if (adopt_socket_inspect(fd, &kind) < 0)
		return describe_file(fd, buffer, size);
	return describe_socket(&kind, buffer, size);
}
