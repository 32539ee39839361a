/* successor.h - the process that is to take this one's place */
#ifndef DAEMON_SUCCESSOR_H
#define DAEMON_SUCCESSOR_H

#include "program.h"

#include <sys/types.h>

/*
 * Starts adoptd again, as this one was started, for it to take over: HANDOVER_VARIABLE tells
 * it of the socket on which it gets what this one has. It is nobody's child to wait for.
 * fd: the new process's end of that socket; the caller's to close here.
 * ret_pid: the new process.
 * Returns 0 or a negative errno.
 */
int successor_start(const struct program *program, int fd, pid_t *ret_pid);

#endif
