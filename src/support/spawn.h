/*
 * spawn.h - starts a program in a process of its own
 *
 * The one way in which adoptd does so. The program has a session, and so a process group,
 * of its own; its descriptors 0, 1 and 2 and no other but one that it may be given; every
 * signal's default action, and none blocked; the environment that it is given, and nothing
 * else; the soft limit of descriptors that adoptd itself was started with.
 */
#ifndef SUPPORT_SPAWN_H
#define SUPPORT_SPAWN_H

#include "identity.h"

#include <stdbool.h>
#include <sys/types.h>

#define SPAWN_FDS_MAX 4

/* Room for a process's number as text, and its end. */
#define SPAWN_PID_BYTES 21

struct spawn_order {
	char *const *argv;               /* ended by NULL; the first is the program's path */
	char *const *environment;        /* ended by NULL */
	char *pid;                       /* where in it the process's own number is written,
					  * SPAWN_PID_BYTES of room; NULL: nowhere */
	int fds[SPAWN_FDS_MAX];          /* they become 0, 1, 2; may be the same */
	bool fourth_fd;                  /* there is one that becomes 3 */
	bool successor;                  /* it is to outlive adoptd: in adoptd's session, and
					  * the child of whoever adopts orphans */
	const char *directory;           /* where it runs; NULL: where adoptd does */
	const struct identity *identity; /* who it is; NULL: who adoptd is */
};

/* What a start has failed at. */
enum spawn_step {
	SPAWN_PROCESS,
	SPAWN_DESCRIPTORS,
	SPAWN_IDENTITY,
	SPAWN_DIRECTORY,
	SPAWN_PROGRAM,
};

/*
 * Starts a program. Returns once it runs, or has not come to that.
 * order: needed during the call only.
 * ret_pid: the process, the caller's to wait for unless it is a successor; its process group
 * has the same number then.
 * ret_failed: with what an error is about; set on failure only.
 * Returns 0 or a negative errno.
 */
int spawn(const struct spawn_order *order, pid_t *ret_pid, enum spawn_step *ret_failed);

/*
 * Does what spawn() does, but for the descriptors, in a process that then ends instead of
 * running the program, if there is one. Returns as spawn() does.
 */
int spawn_try(const struct spawn_order *order, enum spawn_step *ret_failed);

/* Returns what a step was to do, for "cannot ...: reason". */
const char *spawn_step_text(enum spawn_step step);

/*
 * Says in words why a process or a thread could not be started.
 * error: a negative errno value; -EAGAIN is a limit there, and of a thread also what else it
 * could not have: fork(2), pthread_create(3).
 * Returns a static or thread-local string, never NULL.
 */
const char *spawn_error_text(int error);

#endif
