/* pipe_pool.h - pipes, in which the kernel moves bytes from one socket to another */
#ifndef ADOPT_PIPE_POOL_H
#define ADOPT_PIPE_POOL_H

#include <stddef.h>
#include <sys/queue.h>
#include <sys/types.h>

/* What a pipe is to hold; one that the system makes smaller holds less. */
#define PIPE_BYTES (1024 * 1024)

/* A reactor has at most so many, of which so many are kept while nobody needs them. */
#define PIPES_MAX 32
#define PIPES_KEPT 8

/* A pipe of somebody who has bytes in it. */
struct pipe;

/* The pipes of one reactor. Initialize with zeros. */
struct pipe_pool {
	SLIST_HEAD(, pipe) kept;
	unsigned kept_count;
	unsigned count; /* those in use too */
};

/* Closes those that are kept; all others have been given back. */
void pipe_pool_done(struct pipe_pool *pool);

/*
 * Takes a pipe, and moves into it what waits on a non-blocking stream socket.
 * ret: the pipe, to be given back; set only where bytes are in it.
 * Returns how many; 0 where none came, which is the end of file or urgent data: reading
 * tells; -EAGAIN where none wait; -ENOBUFS where there is no pipe; -EOPNOTSUPP where this
 * is not for such a socket; another negative errno, which the connection is lost with.
 * Source: splice(2)
 */
ssize_t pipe_fill(struct pipe_pool *pool, int fd, struct pipe **ret);

/*
 * Sends on a non-blocking stream socket what the kernel takes now. Raises no SIGPIPE.
 * Returns how many bytes, or a negative errno.
 */
ssize_t pipe_send(struct pipe *pipe, int fd);

/* Gives a pipe back, with what is still in it. Sets it NULL; NULL inside is harmless. */
void pipe_give(struct pipe **pipe);

#endif
