#include "exec_start.h"

#include "exec_environment.h"
#include "support/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Blocking or not belongs to the open file, which the process shares. */
static int make_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 ? -errno : 0;
}

/* With its environment, and the socket where it looks for it. */
static int run(const struct exec_process_order *order, int stderr_fd,
	       const struct exec_announcement *announcement, pid_t *ret_pid,
	       enum spawn_step *ret_step)
{
	const struct exec_settings *settings = order->settings;
	struct spawn_order wanted = {
		.argv = settings->command,
		.fds = {order->fd, order->fd, stderr_fd},
		.pid = announcement->pid,
		.directory = settings->directory,
		.identity = settings->identity,
	};
	char **environment = NULL;
	int null = -1, error;

	if (settings->announce != ANNOUNCE_INETD) {
		null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (null < 0)
			return -errno;
		wanted.fds[0] = null;
		wanted.fds[1] = stderr_fd;
		wanted.fds[EXEC_ANNOUNCED_FD] = order->fd;
		wanted.fourth_fd = true;
	}
	error = exec_environment_new(settings->environment, settings->environment_count,
				     order->local, order->peer, announcement->entries,
				     &environment);
	if (error == 0)
		error = make_blocking(order->fd);
	if (error == 0) {
		wanted.environment = environment;
		error = spawn(&wanted, ret_pid, ret_step);
	}
	free(environment);
	if (null >= 0)
		close(null);
	return error;
}

int exec_start(const struct exec_process_order *order, int stderr_fd, pid_t *ret_pid,
	       const char **ret_failed)
{
	const struct handler_settings *base = &order->settings->base;
	enum spawn_step step = SPAWN_PROCESS;
	struct exec_announcement announcement;
	int error = exec_announcement_new(order->settings->announce, base->port_name, order->fd,
					  &announcement);

	*ret_failed = "announce its socket";
	if (error < 0)
		return error;
	error = run(order, stderr_fd, &announcement, ret_pid, &step);
	exec_announcement_done(&announcement);
	*ret_failed = spawn_step_text(step);
	return error;
}
