/* Where there is no vfork(). */
#include "spawn_child.h"

void spawn_process(struct spawn_child *child, volatile struct spawn_failure *failure,
		   pid_t *ret_pid)
{
	spawn_by_fork(child, failure, ret_pid);
}
