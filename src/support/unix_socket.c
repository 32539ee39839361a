#include "unix_socket.h"

#include "adopt/adopt.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Returns the length of the name, or -ENAMETOOLONG. */
static int put_name(const char *path, struct sockaddr_un *name)
{
	size_t length = strlen(path);

	if (length >= sizeof name->sun_path)
		return -ENAMETOOLONG;
	*name = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(name->sun_path, path, length);
	if (path[0] == '@') {
		name->sun_path[0] = '\0';
		return (int)(offsetof(struct sockaddr_un, sun_path) + length);
	}
	return (int)sizeof *name;
}

int unix_socket_connect(const char *path, int *ret)
{
	struct sockaddr_un name;
	int fd, error, length = put_name(path, &name);

	if (length < 0)
		return length;
	error = adopt_socket_create(AF_UNIX, SOCK_STREAM, &fd);
	if (error < 0)
		return error;
	if (connect(fd, (const struct sockaddr *)&name, (socklen_t)length) < 0) {
		error = errno == EWOULDBLOCK ? -EAGAIN : -errno;
		close(fd);
		return error;
	}
	*ret = fd;
	return 0;
}

/* SO_PEERCRED, or getpeereid(3). */
int unix_socket_peer(int fd, uid_t *ret_user, gid_t *ret_group)
{
#if defined SO_PEERCRED
	struct ucred peer;
	socklen_t length = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return -errno;
	*ret_user = peer.uid;
	*ret_group = peer.gid;
	return 0;
#elif defined HAVE_GETPEEREID
	return getpeereid(fd, ret_user, ret_group) < 0 ? -errno : 0;
#else
	(void)fd;
	(void)ret_user;
	(void)ret_group;
	return -EOPNOTSUPP;
#endif
}
