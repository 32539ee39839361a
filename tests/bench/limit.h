/*
 * limit.h - what the limit programs share
 *
 * They do what the servers beside them do and nothing else, with bare system calls: what
 * they cost is what the kernel costs. They take the socket that they serve as descriptor
 * 3, check nothing, refuse nothing, and run until they are killed.
 */
#ifndef BENCH_LIMIT_H
#define BENCH_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The socket that is served. */
#define LIMIT_FD 3

/* A descriptor in the loop. Put it first in a struct of your own. */
struct limit_watch {
	void (*happened)(struct limit_watch *watch, uint32_t events);
	int fd;
	bool written, undelayed;  /* limit.c's */
	uint32_t again;           /* limit.c's */
	struct limit_watch *next; /* limit.c's */
};

/* What is freed later. Put it first in a struct of your own. */
struct limit_garbage {
	struct limit_garbage *next; /* limit.c's */
};

/* Ends the process with a message. */
void limit_die(const char *what) __attribute__((noreturn));

/* Allocates zeroed memory, or dies. */
void *limit_alloc(size_t size);

/*
 * Forks further processes, which end with the first one.
 * workers: how many there are to be in all; "1" where it is NULL.
 */
void limit_fork(const char *workers);

/* Makes the served socket non-blocking, and a loop. After forking. */
void limit_begin(void);

/* Watches watch->fd, edge-triggered where EPOLLET is among the events. */
void limit_watch(struct limit_watch *watch, uint32_t events);

/* Watches for other events from now on. */
void limit_rewatch(struct limit_watch *watch, uint32_t events);

/* Has happened() called once more at the end of this turn of the loop, with these events
 * and those that come until then: what an edge told of is not done yet. */
void limit_again(struct limit_watch *watch, uint32_t events);

/* Frees the struct that this is the first part of, once the turn is over: events of it may
 * have been taken already. */
void limit_free(struct limit_garbage *garbage);

/* The loop. */
void limit_run(void) __attribute__((noreturn));

/* Accepts from LIMIT_FD a non-blocking descriptor, or returns -1: there is nobody. */
int limit_accept(void);

/* Sends as send(2) does. */
ssize_t limit_send(struct limit_watch *watch, const void *data, size_t length);

/* Something is about to be written. From the second time on a TCP socket sends what is
 * small at once: the first time it does so anyway. */
void limit_writes(struct limit_watch *watch);

/* A TCP connection to 127.0.0.1, non-blocking, perhaps still connecting; for SOCK_DGRAM a
 * connected socket. Dies where that is refused. */
int limit_connect(int type, uint16_t port);

/* Reads a port or another small number from the command line, or dies. */
unsigned limit_number(const char *text);

#endif
