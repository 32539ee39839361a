/* Where the system cannot splice, there are no pipes: all is copied. */
#include "pipe_pool.h"

#include <errno.h>

void pipe_pool_done(struct pipe_pool *pool)
{
	(void)pool;
}

ssize_t pipe_fill(struct pipe_pool *pool, int fd, struct pipe **ret)
{
	(void)pool;
	(void)fd;
	(void)ret;
	return -EOPNOTSUPP;
}

ssize_t pipe_send(struct pipe *pipe, int fd)
{
	(void)pipe;
	(void)fd;
	return -EOPNOTSUPP;
}

void pipe_give(struct pipe **pipe)
{
	(void)pipe;
}
