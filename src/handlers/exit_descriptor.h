/* exit_descriptor.h - a descriptor that can be read from once a child process has ended */
#ifndef HANDLERS_EXIT_DESCRIPTOR_H
#define HANDLERS_EXIT_DESCRIPTOR_H

#include <sys/types.h>

/*
 * Opens one, close-on-exec, to be watched in a loop. The process is not waited for: its
 * number stays its own until somebody does, after the descriptor has become readable.
 * Where the system has none of its own, it is made by exit_descriptor_by_thread().
 * pid: a child of this process that nobody has waited for.
 * ret: the caller's, to be closed; it has nothing to read.
 * Returns 0; -EMFILE; -ENFILE; -ENOMEM; -EAGAIN where there can be no more threads.
 */
int exit_descriptor_open(pid_t pid, int *ret);

/* The same by pidfd_open(2), or by a thread that waits. The former returns -ENOSYS where
 * the system has none, or will not let it be used. */
int exit_descriptor_by_pidfd(pid_t pid, int *ret);
int exit_descriptor_by_thread(pid_t pid, int *ret);

#endif
