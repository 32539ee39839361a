#include "pipe.h"

#include "adopt/adopt.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int pipe_open(int ret[2])
{
#ifdef HAVE_PIPE2
	return pipe2(ret, O_CLOEXEC) < 0 ? -errno : 0;
#else
	if (pipe(ret) < 0)
		return -errno;
	fcntl(ret[0], F_SETFD, FD_CLOEXEC);
	fcntl(ret[1], F_SETFD, FD_CLOEXEC);
	return 0;
#endif
}

#if defined SOCK_CLOEXEC && defined SOCK_NONBLOCK
int pipe_open_sockets(int type, int ret[2])
{
	type |= SOCK_CLOEXEC | SOCK_NONBLOCK;
	return socketpair(AF_UNIX, type, 0, ret) < 0 ? -errno : 0;
}
#else
int pipe_open_sockets(int type, int ret[2])
{
	int ends[2], error;

	if (socketpair(AF_UNIX, type, 0, ends) < 0)
		return -errno;
	error = adopt_descriptor_prepare(ends[0]);
	if (error == 0)
		error = adopt_descriptor_prepare(ends[1]);
	if (error < 0) {
		close(ends[0]);
		close(ends[1]);
		return error;
	}
	ret[0] = ends[0];
	ret[1] = ends[1];
	return 0;
}
#endif
