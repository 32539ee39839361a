/* Where vfork() does not do: the new process is a copy, and tells through a pipe, which
 * its program would close, what has failed. */
#include "pipe.h"
#include "spawn_child.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void run_child(struct spawn_child *child, const int ends[2])
{
	struct spawn_failure failure = {0};

	/* Out of the way of 0, 1 and 2. */
	child->kept_fd = fcntl(ends[1], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	spawn_child(child, &failure);
	/* A parent that hears nothing takes it for a success, which it will not be long. */
	if (failure.error < 0 &&
	    write(child->kept_fd, &failure, sizeof failure) != (ssize_t)sizeof failure)
		_exit(1);
	_exit(0);
}

static void read_failure(int fd, volatile struct spawn_failure *failure)
{
	struct spawn_failure told;
	ssize_t length;

	do
		length = read(fd, &told, sizeof told);
	while (length < 0 && errno == EINTR);
	if (length == (ssize_t)sizeof told) {
		failure->step = told.step;
		failure->error = told.error;
	}
}

void spawn_process(struct spawn_child *child, volatile struct spawn_failure *failure,
		   pid_t *ret_pid)
{
	int ends[2], error = pipe_open(ends);
	pid_t pid = -1;

	if (error == 0) {
		pid = fork();
		if (pid == 0)
			run_child(child, ends);
		if (pid < 0)
			error = -errno;
		close(ends[1]);
		if (pid > 0)
			read_failure(ends[0], failure);
		close(ends[0]);
	}
	if (error < 0) {
		failure->step = SPAWN_PROCESS;
		failure->error = error;
	} else {
		*ret_pid = pid;
	}
}
