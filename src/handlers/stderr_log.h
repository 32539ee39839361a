/*
 * stderr_log.h - what a process says on its descriptor 2 goes to the log, line by line
 *
 * Each line bears the program's name and the number of the process. Long lines are cut
 * into several; of a process that says too much only the first lines of each while are
 * logged, and it is read from slowly.
 */
#ifndef HANDLERS_STDERR_LOG_H
#define HANDLERS_STDERR_LOG_H

#include "adopt/adopt.h"

#include <sys/types.h>

struct stderr_log;

/*
 * Opens the way to the log.
 * name: the program's; outlives the log.
 * closed: called with `context` once nobody can say anything any more: all who had the
 * descriptor have closed it. The log is still there.
 * ret_fd: for the process; the caller's, to be closed once that has it.
 * ret: free with stderr_log_free(), before the reactor.
 * Returns 0; -ENOMEM; a negative errno from pipe(2).
 */
int stderr_log_new(struct adopt_reactor *reactor, const char *name, void (*closed)(void *context),
		   void *context, int *ret_fd, struct stderr_log **ret);

/* Begins to listen. pid: who has the descriptor. Returns 0 or what adopt_reader_add()
 * returns. */
int stderr_log_listen(struct stderr_log *log, pid_t pid);

/* Logs what has been said, and listens no more. Sets it NULL; NULL inside is harmless. From
 * inside `closed` too. */
void stderr_log_free(struct stderr_log **log);

#endif
