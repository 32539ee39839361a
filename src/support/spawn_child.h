/* spawn_child.h - what happens between a new process and its program */
#ifndef SUPPORT_SPAWN_CHILD_H
#define SUPPORT_SPAWN_CHILD_H

#include "spawn.h"

#include <stdbool.h>
#include <sys/resource.h>

struct spawn_failure {
	enum spawn_step step;
	int error; /* a negative errno; 0: none */
};

struct spawn_child {
	const struct spawn_order *order;
	const struct rlimit *limit; /* of descriptors; NULL: as it is */
	bool only_try;
	int kept_fd;  /* stays open until the program runs, -1 for none */
	pid_t orphan; /* the successor, where that is wanted */
};

/*
 * Becomes the program. Called in the new process, with all signals blocked; makes only
 * calls that are async-signal-safe, as its memory may be the parent's, in which other
 * threads run.
 * failure: set where it returns for another reason than that it was only to try.
 */
void spawn_child(const struct spawn_child *child, volatile struct spawn_failure *failure);

/*
 * Starts a process that calls spawn_child() and then, where that returns, ends. One of
 * spawn_vfork.c, where the new process borrows the parent's memory, and spawn_no_vfork.c.
 * Called with all signals blocked, and not for a successor.
 * ret_pid: the process, also where it has ended for a failure of its own; untouched where
 * there is none.
 * failure: what spawn_child() said, or why there is no process.
 */
void spawn_process(struct spawn_child *child, volatile struct spawn_failure *failure,
		   pid_t *ret_pid);

/*
 * The same with a process that is a copy of this one. A successor is started by one between,
 * which then ends.
 * child: where it is a successor's, its orphan is set.
 * ret_pid: the one between is meant.
 */
void spawn_by_fork(struct spawn_child *child, volatile struct spawn_failure *failure,
		   pid_t *ret_pid);

#endif
