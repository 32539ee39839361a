#include "exit_descriptor.h"

#include "support/pipe.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* It makes two system calls; the least that systems allow is enough, were it not for what
 * sanitizers and profilers put onto stacks. */
#define STACK_BYTES (128 * 1024)

struct watch {
	pid_t pid;
	int end; /* the pipe's, closed when the process has ended */
};

/* The reader may be gone by then, and the process even waited for: that is all the same. */
static void *wait_for_end(void *argument)
{
	struct watch *watch = argument;
	siginfo_t info;

	while (waitid(P_PID, (id_t)watch->pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	close(watch->end);
	free(watch);
	return NULL;
}

/* Signals are for the loop's thread. */
static int start_thread(struct watch *watch)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int error = -pthread_attr_init(&attributes);

	if (error < 0)
		return error;
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = -pthread_create(&thread, &attributes, wait_for_end, watch);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return error;
}

int exit_descriptor_by_thread(pid_t pid, int *ret)
{
	struct watch *watch = calloc(1, sizeof *watch);
	int ends[2], error;

	if (!watch)
		return -ENOMEM;
	error = pipe_open(ends);
	if (error < 0) {
		free(watch);
		return error;
	}
	*watch = (struct watch){.pid = pid, .end = ends[1]};
	error = start_thread(watch);
	if (error < 0) {
		close(ends[0]);
		close(ends[1]);
		free(watch);
		return error;
	}
	*ret = ends[0];
	return 0;
}

int exit_descriptor_open(pid_t pid, int *ret)
{
	int error = exit_descriptor_by_pidfd(pid, ret);

	return error == -ENOSYS ? exit_descriptor_by_thread(pid, ret) : error;
}
