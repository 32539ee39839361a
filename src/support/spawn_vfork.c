/* The new process borrows this one's memory until it runs its program or ends, and this
 * thread waits for that: nothing is copied, however large adoptd is. */
#include "spawn_child.h"

#include <errno.h>
#include <unistd.h>

void spawn_process(struct spawn_child *child, volatile struct spawn_failure *failure,
		   pid_t *ret_pid)
{
	pid_t pid;

	child->kept_fd = -1;
	pid = vfork();
	if (pid == 0) {
		spawn_child(child, failure);
		_exit(0);
	}
	if (pid < 0) {
		failure->step = SPAWN_PROCESS;
		failure->error = -errno;
	} else {
		*ret_pid = pid;
	}
}
