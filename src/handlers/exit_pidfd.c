#include "exit_descriptor.h"

#include <errno.h>

#if HAVE_DECL_SYS_PIDFD_OPEN
#include <sys/syscall.h>
#include <unistd.h>

/* A kernel that is too old says ENOSYS, a sandbox that keeps it from us often EPERM. */
int exit_descriptor_by_pidfd(pid_t pid, int *ret)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return errno == EPERM ? -ENOSYS : -errno;
	*ret = fd;
	return 0;
}
#else
int exit_descriptor_by_pidfd(pid_t pid, int *ret)
{
	(void)pid;
	(void)ret;
	return -ENOSYS;
}
#endif
