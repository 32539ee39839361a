/* Where vfork() does not do: the new process is a copy, and tells through a pipe, which
 * its program would close, what has failed. A successor is a copy's copy: vfork() must not
 * be called by who was made by it. */
#include "pipe.h"
#include "spawn_child.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* What comes through the pipe, at most two of them. */
struct told {
	struct spawn_failure failure;
	pid_t orphan; /* where nothing has failed */
};

/* A parent that hears nothing takes it for a success, which it will not be long, but for
 * a failure where one between is to speak. */
static void tell(int fd, const struct told *told)
{
	if (write(fd, told, sizeof *told) != (ssize_t)sizeof *told)
		_exit(1);
}

static void run_child(struct spawn_child *child, const int ends[2])
{
	struct told told = {0};

	/* Out of the way of its own. */
	child->kept_fd =
		ends[1] >= SPAWN_FDS_MAX ? ends[1] : fcntl(ends[1], F_DUPFD_CLOEXEC, SPAWN_FDS_MAX);
	if (child->kept_fd < 0)
		told.failure = (struct spawn_failure){.step = SPAWN_DESCRIPTORS, .error = -errno};
	else if (child->order->successor && (told.orphan = fork()) < 0)
		told.failure = (struct spawn_failure){.step = SPAWN_PROCESS, .error = -errno};
	else if (told.orphan == 0)
		spawn_child(child, &told.failure);
	if (told.orphan > 0 || told.failure.error < 0)
		tell(child->kept_fd < 0 ? ends[1] : child->kept_fd, &told);
	_exit(0);
}

static void hear(int fd, struct spawn_child *child, volatile struct spawn_failure *failure)
{
	struct told told;
	ssize_t length;

	do {
		length = read(fd, &told, sizeof told);
		if (length != (ssize_t)sizeof told)
			continue;
		if (told.failure.error < 0) {
			failure->step = told.failure.step;
			failure->error = told.failure.error;
		} else {
			child->orphan = told.orphan;
		}
	} while (length > 0 || (length < 0 && errno == EINTR));
}

void spawn_by_fork(struct spawn_child *child, volatile struct spawn_failure *failure,
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
			hear(ends[0], child, failure);
		close(ends[0]);
	}
	/* The one between has ended without a word. */
	if (pid > 0 && child->order->successor && failure->error == 0 && child->orphan <= 0)
		error = -EIO;
	if (error < 0) {
		failure->step = SPAWN_PROCESS;
		failure->error = error;
	}
	if (pid > 0)
		*ret_pid = pid;
}
