#include "pipe_pool.h"
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Below this, a pipe is no better than copying: the system gives such ones to users who
 * have many (pipe(7), pipe-user-pages-soft). */
#define PIPE_LEAST_BYTES (64 * 1024)

struct pipe {
	SLIST_ENTRY(pipe) link;
	struct pipe_pool *pool;
	int fds[2];
	size_t size;
	size_t length; /* of what is in it */
};

static void pipe_free(struct pipe *pipe)
{
	pipe->pool->count--;
	socket_close(pipe->fds[0]);
	socket_close(pipe->fds[1]);
	free(pipe);
}

static struct pipe *pipe_new(struct pipe_pool *pool)
{
	struct pipe *pipe = pool->count < PIPES_MAX ? calloc(1, sizeof *pipe) : NULL;
	int size;

	if (!pipe)
		return NULL;
	if (pipe2(pipe->fds, O_CLOEXEC | O_NONBLOCK) < 0) {
		free(pipe);
		return NULL;
	}
	pipe->pool = pool;
	pool->count++;
	size = fcntl(pipe->fds[1], F_SETPIPE_SZ, PIPE_BYTES);
	if (size < 0)
		size = fcntl(pipe->fds[1], F_GETPIPE_SZ);
	if (size < PIPE_LEAST_BYTES) {
		pipe_free(pipe);
		return NULL;
	}
	pipe->size = (size_t)size;
	return pipe;
}

static struct pipe *pipe_take(struct pipe_pool *pool)
{
	struct pipe *pipe = SLIST_FIRST(&pool->kept);

	if (!pipe)
		return pipe_new(pool);
	SLIST_REMOVE_HEAD(&pool->kept, link);
	pool->kept_count--;
	return pipe;
}

void pipe_give(struct pipe **gone)
{
	struct pipe *pipe = *gone;
	struct pipe_pool *pool;

	*gone = NULL;
	if (!pipe)
		return;
	pool = pipe->pool;
	if (pipe->length > 0 || pool->kept_count == PIPES_KEPT) {
		pipe_free(pipe);
		return;
	}
	SLIST_INSERT_HEAD(&pool->kept, pipe, link);
	pool->kept_count++;
}

void pipe_pool_done(struct pipe_pool *pool)
{
	struct pipe *pipe;

	while ((pipe = SLIST_FIRST(&pool->kept))) {
		SLIST_REMOVE_HEAD(&pool->kept, link);
		pipe_free(pipe);
	}
	pool->kept_count = 0;
}

static ssize_t move(int from, int to, size_t length)
{
	ssize_t moved;

	do
		moved = splice(from, NULL, to, NULL, length, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	while (moved < 0 && errno == EINTR);
	return moved < 0 ? -errno : moved;
}

ssize_t pipe_fill(struct pipe_pool *pool, int fd, struct pipe **ret)
{
	struct pipe *pipe = pipe_take(pool);
	ssize_t length;

	if (!pipe)
		return -ENOBUFS;
	length = move(fd, pipe->fds[1], pipe->size);
	if (length > 0) {
		pipe->length = (size_t)length;
		*ret = pipe;
		return length;
	}
	pipe_give(&pipe);
	switch (length) {
	case -EINVAL: /* not with this kind of socket */
	case -ENOSYS: /* not with this system, */
	case -EPERM:  /* or what confines the process */
		return -EOPNOTSUPP;
	default:
		return length;
	}
}

/* Unlike send(), splice() cannot be told to raise no SIGPIPE. */
static ssize_t move_quietly(int from, int to, size_t length)
{
	static const struct timespec at_once = {0};
	sigset_t broken_pipe, before;
	ssize_t moved;

	sigemptyset(&broken_pipe);
	sigaddset(&broken_pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
	moved = move(from, to, length);
	if (moved == -EPIPE && !sigismember(&before, SIGPIPE))
		sigtimedwait(&broken_pipe, NULL, &at_once);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return moved;
}

ssize_t pipe_send(struct pipe *pipe, int fd)
{
	ssize_t sent = move_quietly(pipe->fds[0], fd, pipe->length);

	if (sent > 0)
		pipe->length -= (size_t)sent;
	return sent;
}
