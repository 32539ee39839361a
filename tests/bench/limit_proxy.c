/*
 * The limit of a proxy: limit-proxy UPSTREAM-PORT [WORKERS]
 *
 * What is small is copied through one buffer, what is large is spliced through a pipe.
 */
#include "limit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_BYTES (64 * 1024)
#define PIPE_BYTES (1024 * 1024)

/* A read of so much means that splicing is cheaper. */
#define LARGE_BYTES (32 * 1024)

/* A turn moves so much at most of one direction. */
#define MOVES_A_TURN 8

#define POOL_MAX 64

/* A direction: from the side that it is in to the other one. */
struct way {
	int pipe[2]; /* -1 while it copies */
	size_t piped;
	char *held; /* what could not be written at once */
	size_t held_length;
	size_t held_sent;
	bool ended;
};

struct side {
	struct limit_watch watch;
	struct connection *connection;
	struct side *other;
	struct way way;
	bool writing; /* watched for EPOLLOUT too, since a first write has come short */
};

struct connection {
	struct limit_garbage garbage;
	bool over;
	struct side sides[2];
};

static uint16_t upstream_port;
static char buffer[BUFFER_BYTES];
static int pool[POOL_MAX][2];
static unsigned pool_count;

static void pipe_take(struct way *way)
{
	if (pool_count > 0)
		memcpy(way->pipe, pool[--pool_count], sizeof way->pipe);
	else if (pipe2(way->pipe, O_NONBLOCK | O_CLOEXEC) == 0)
		fcntl(way->pipe[0], F_SETPIPE_SZ, PIPE_BYTES);
	else
		limit_die("pipe2");
}

static void pipe_give(struct way *way)
{
	if (way->pipe[0] < 0)
		return;
	if (way->piped == 0 && pool_count < POOL_MAX) {
		memcpy(pool[pool_count++], way->pipe, sizeof way->pipe);
	} else {
		close(way->pipe[0]);
		close(way->pipe[1]);
	}
	way->pipe[0] = way->pipe[1] = -1;
	way->piped = 0;
}

static void connection_end(struct connection *connection)
{
	connection->over = true;
	for (unsigned i = 0; i < 2; i++) {
		struct side *side = &connection->sides[i];

		close(side->watch.fd);
		pipe_give(&side->way);
		free(side->way.held);
	}
	limit_free(&connection->garbage);
}

/* What this side had to say has been said. */
static void way_end(struct side *side)
{
	side->way.ended = true;
	if (side->other->way.ended)
		connection_end(side->connection);
	else
		shutdown(side->other->watch.fd, SHUT_WR);
}

static void want_room(struct side *side)
{
	if (!side->writing)
		limit_rewatch(&side->watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
	side->writing = true;
}

static void hold(struct side *side, const char *data, size_t length)
{
	struct way *way = &side->way;

	way->held = limit_alloc(length);
	memcpy(way->held, data, length);
	way->held_length = length;
	way->held_sent = 0;
}

static bool is_pending(const struct way *way)
{
	return way->held || way->piped > 0;
}

/* Writes what is held or in the pipe. Returns whether that was all. */
static bool flush(struct side *side)
{
	struct way *way = &side->way;
	struct limit_watch *to = &side->other->watch;

	if (way->held) {
		ssize_t sent = limit_send(to, way->held + way->held_sent,
					  way->held_length - way->held_sent);

		if (sent > 0)
			way->held_sent += (size_t)sent;
		if (way->held_sent == way->held_length) {
			free(way->held);
			way->held = NULL;
		}
	}
	if (way->piped > 0) {
		ssize_t sent;

		limit_writes(to);
		sent = splice(way->pipe[0], NULL, to->fd, NULL, way->piped,
			      SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		if (sent > 0)
			way->piped -= (size_t)sent;
	}
	if (is_pending(way)) {
		want_room(side->other);
		return false;
	}
	return true;
}

/* Returns whether there may be more to do, as copy() does. */
static bool splice_some(struct side *side)
{
	struct way *way = &side->way;
	ssize_t length = splice(side->watch.fd, NULL, way->pipe[1], NULL, PIPE_BYTES,
				SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (length > 0) {
		way->piped += (size_t)length;
		return flush(side);
	}
	if (length == 0) {
		way_end(side);
	} else if (errno == EAGAIN) {
		pipe_give(way);
	} else {
		connection_end(side->connection);
	}
	return false;
}

static bool copy(struct side *side, bool ended)
{
	ssize_t sent, length = recv(side->watch.fd, buffer, sizeof buffer, 0);

	if (length < 0 && errno == EAGAIN)
		return false;
	if (length < 0) {
		connection_end(side->connection);
		return false;
	}
	if (length == 0) {
		way_end(side);
		return false;
	}
	sent = limit_send(&side->other->watch, buffer, (size_t)length);
	if (sent < 0)
		sent = 0;
	if (sent < length) {
		hold(side, buffer + sent, (size_t)(length - sent));
		want_room(side->other);
	}
	if (length >= LARGE_BYTES)
		pipe_take(&side->way);
	if (sent < length || length >= LARGE_BYTES)
		return sent == length;
	/* A short read has emptied the socket: of the end no read needs to tell. */
	if (ended)
		way_end(side);
	return false;
}

static void pump(struct side *side, bool ended)
{
	struct way *way = &side->way;

	if (way->ended || (is_pending(way) && !flush(side)))
		return;
	for (unsigned i = 0; i < MOVES_A_TURN; i++) {
		if (!(way->pipe[0] < 0 ? copy(side, ended) : splice_some(side)))
			return;
	}
	limit_again(&side->watch, ended ? EPOLLIN | EPOLLRDHUP : EPOLLIN);
}

static void on_side(struct limit_watch *watch, uint32_t events)
{
	struct side *side = (struct side *)watch;

	if (side->connection->over)
		return;
	if (events & EPOLLERR) {
		connection_end(side->connection);
		return;
	}
	if ((events & EPOLLOUT) && is_pending(&side->other->way))
		pump(side->other, false);
	if (!side->connection->over && (events & (EPOLLIN | EPOLLRDHUP)))
		pump(side, events & EPOLLRDHUP);
}

static void side_init(struct connection *connection, unsigned which, int fd)
{
	struct side *side = &connection->sides[which];

	side->watch = (struct limit_watch){.happened = on_side, .fd = fd};
	side->connection = connection;
	side->other = &connection->sides[1 - which];
	side->way.pipe[0] = side->way.pipe[1] = -1;
}

/* What the client has said by now goes on before anything is watched. The upstream is
 * mostly connected already. */
static void forward_first(struct side *client)
{
	ssize_t sent = 0, length = recv(client->watch.fd, buffer, sizeof buffer, 0);

	if (length > 0)
		sent = limit_send(&client->other->watch, buffer, (size_t)length);
	if (sent < 0)
		sent = 0;
	if (length > sent) {
		hold(client, buffer + sent, (size_t)(length - sent));
		client->other->writing = true;
	}
}

static void on_listener(struct limit_watch *watch, uint32_t events)
{
	int fd;

	(void)watch;
	(void)events;
	while ((fd = limit_accept()) >= 0) {
		struct connection *connection = limit_alloc(sizeof *connection);

		side_init(connection, 0, fd);
		side_init(connection, 1, limit_connect(SOCK_STREAM, upstream_port));
		forward_first(&connection->sides[0]);
		for (unsigned i = 0; i < 2; i++) {
			struct side *side = &connection->sides[i];
			uint32_t out = side->writing ? EPOLLOUT : 0;

			limit_watch(&side->watch, EPOLLIN | EPOLLRDHUP | EPOLLET | out);
		}
	}
}

int main(int argc, char *argv[])
{
	struct limit_watch listener = {.happened = on_listener, .fd = LIMIT_FD};

	if (argc < 2) {
		errno = EINVAL;
		limit_die("usage: limit-proxy UPSTREAM-PORT [WORKERS]");
	}
	upstream_port = (uint16_t)limit_number(argv[1]);
	limit_fork(argc > 2 ? argv[2] : NULL);
	limit_begin();
	limit_watch(&listener, EPOLLIN | EPOLLEXCLUSIVE);
	limit_run();
}
