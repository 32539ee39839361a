/*
 * starter.h - who starts the next adoptd where this one has given up to do so
 *
 * A process that has come of this one before: it holds nothing but the standard descriptors
 * and a socket to this one, starts on its word the program of this one, with its arguments,
 * and ends when this one does.
 */
#ifndef DAEMON_STARTER_H
#define DAEMON_STARTER_H

#include "program.h"

#include <sys/types.h>

struct starter;

/*
 * Starts one, before there are threads.
 * program: as it is now is what will be started.
 * ret: free with starter_free().
 * Returns 0 or a negative errno.
 */
int starter_new(const struct program *program, struct starter **ret);

/*
 * Does what successor_start() does.
 * starter: freed and set NULL where there was no talking to it, but not where the system
 * refused to send the question.
 * Returns 0; -EPIPE or -ECONNRESET where the starter has been killed, -ETIMEDOUT where it
 * has been stopped; -ENOMEM; what successor_start() returns.
 */
int starter_start(struct starter **starter, int fd, pid_t *ret_pid);

/* Kills it, and sets it NULL; NULL inside is harmless. */
void starter_free(struct starter **starter);

#endif
