#include "pipe.h"

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
