#include "spawn.h"

#include "descriptor_limit.h"
#include "spawn_child.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

const char *spawn_step_text(enum spawn_step step)
{
	switch (step) {
	case SPAWN_PROCESS:
		return "start a process";
	case SPAWN_DESCRIPTORS:
		return "give it its descriptors";
	case SPAWN_IDENTITY:
		return "become its user and group";
	case SPAWN_DIRECTORY:
		return "go to its directory";
	case SPAWN_PROGRAM:
		return "run its program";
	}
	return "start it";
}

const char *spawn_error_text(int error)
{
	return error == -EAGAIN ? "no more processes and threads can be had: memory, RLIMIT_NPROC, "
				  "the unit's TasksMax= or the system's limit is used up"
				: strerror(-error);
}

/* Where nobody is to be told of ended children, as adoptd may have been started, their
 * numbers are not kept until they have been waited for. */
static void keep_ended_processes(void)
{
	struct sigaction action;

	if (sigaction(SIGCHLD, NULL, &action) == 0 &&
	    (action.sa_handler == SIG_IGN || action.sa_flags & SA_NOCLDWAIT))
		signal(SIGCHLD, SIG_DFL);
}

/* A process that has failed, that was only to try, or that was between, is gone when this
 * returns. */
static int begin(struct spawn_child *child, pid_t *ret_pid, enum spawn_step *ret_failed)
{
	volatile struct spawn_failure failure = {0};
	bool successor = child->order->successor;
	sigset_t all, before;
	pid_t pid = -1;

	keep_ended_processes();
	child->limit = descriptor_limit_before();
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	(successor ? spawn_by_fork : spawn_process)(child, &failure, &pid);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (pid > 0 && (failure.error < 0 || child->only_try || successor)) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (failure.error < 0) {
		*ret_failed = failure.step;
		return failure.error;
	}
	*ret_pid = successor ? child->orphan : pid;
	return 0;
}

int spawn(const struct spawn_order *order, pid_t *ret_pid, enum spawn_step *ret_failed)
{
	struct spawn_child child = {.order = order};

	return begin(&child, ret_pid, ret_failed);
}

int spawn_try(const struct spawn_order *order, enum spawn_step *ret_failed)
{
	struct spawn_child child = {.order = order, .only_try = true};
	pid_t pid;

	return begin(&child, &pid, ret_failed);
}
