/* exec_start.h - the program of an exec block: with its socket, its environment, its user */
#ifndef HANDLERS_EXEC_START_H
#define HANDLERS_EXEC_START_H

#include "exec_process.h"

/*
 * Starts it.
 * order: its socket is made blocking.
 * stderr_fd: its standard error; the caller's still.
 * ret_failed: with what an error is about, static.
 * Returns 0; -ENOMEM; another negative errno of what could not be done.
 */
int exec_start(const struct exec_process_order *order, int stderr_fd, pid_t *ret_pid,
	       const char **ret_failed);

#endif
