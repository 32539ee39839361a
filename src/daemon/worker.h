/* worker.h - a thread with a reactor of its own */
#ifndef DAEMON_WORKER_H
#define DAEMON_WORKER_H

#include "adopt/adopt.h"

#include <pthread.h>

/* The first worker is the thread that makes it, and runs its reactor itself. */
struct worker {
	struct adopt_call call;     /* worker.c's: does the present job; first */
	struct worker_batch *batch; /* worker.c's: which that is part of */
	unsigned index;
	struct adopt_reactor *reactor;
	pthread_t thread;
	bool running; /* the thread is there */
};

/* Something to be done in a worker's thread. Returns 0 or a negative errno. */
typedef int worker_job(struct worker *worker, void *context);

/*
 * Makes workers: their reactors, not yet the threads.
 * count: at least 1.
 * ret: an array; free with workers_free().
 * Returns 0 or what adopt_reactor_new() returns.
 */
int workers_new(unsigned count, struct worker **ret);

/* Starts the threads of all but the first. Signals are not delivered to them. Returns 0
 * or the negative of what pthread_create(3) fails with, in which case those that run are to be
 * freed as well. */
int workers_start(struct worker *workers, unsigned count);

/* Ends threads, then reactors, and sets the array NULL; NULL inside is harmless. To be
 * called by the first worker, outside of its reactor. */
void workers_free(struct worker **workers, unsigned count);

/*
 * Does a job in every worker, at the same time, and waits for all. To be called by the
 * first worker. A job must not wait for the first worker, nor ask for jobs itself.
 * Returns 0, or the error of the first worker that has one; never fails by itself.
 */
int workers_each(struct worker *workers, unsigned count, worker_job *job, void *context);

#endif
