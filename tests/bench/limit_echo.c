/*
 * The limit of an echo server: limit-echo [WORKERS]
 *
 * Reads once where there is something to read, and writes it back at once.
 */
#include "limit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_BYTES (256 * 1024)

/* A turn moves so much at most of one connection. */
#define MOVES_A_TURN 8

struct client {
	struct limit_watch watch;
	bool writing; /* watched for EPOLLOUT too, since a first write has come short */
	char *held;   /* what could not be written at once */
	size_t held_length;
	size_t held_sent;
};

static char buffer[BUFFER_BYTES];

static void client_end(struct client *client)
{
	close(client->watch.fd);
	free(client->held);
	free(client);
}

static void hold(struct client *client, const char *data, size_t length)
{
	client->held = limit_alloc(length);
	memcpy(client->held, data, length);
	client->held_length = length;
	client->held_sent = 0;
}

static void want_room(struct client *client)
{
	if (!client->writing)
		limit_rewatch(&client->watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
	client->writing = true;
}

/* Writes what is held. Returns whether nothing is held any more. */
static bool flush(struct client *client)
{
	ssize_t sent = limit_send(&client->watch, client->held + client->held_sent,
				  client->held_length - client->held_sent);

	if (sent > 0)
		client->held_sent += (size_t)sent;
	if (client->held_sent < client->held_length)
		return false;
	free(client->held);
	client->held = NULL;
	return true;
}

/* One read and what follows from it. `ended`: its end has come. Returns whether there may
 * be more to do; the client may be gone where there is not. */
static bool move(struct client *client, bool ended)
{
	ssize_t length, sent;

	length = recv(client->watch.fd, buffer, sizeof buffer, 0);
	if (length < 0 && errno == EAGAIN)
		return false;
	if (length <= 0) {
		client_end(client);
		return false;
	}
	sent = limit_send(&client->watch, buffer, (size_t)length);
	if (sent < 0)
		sent = 0;
	if (sent < length) {
		hold(client, buffer + sent, (size_t)(length - sent));
		want_room(client);
		return false;
	}
	if (length == BUFFER_BYTES)
		return true;
	/* A short read has emptied the socket: of the end no read needs to tell. */
	if (ended)
		client_end(client);
	return false;
}

static void on_client(struct limit_watch *watch, uint32_t events)
{
	struct client *client = (struct client *)watch;

	if (events & (EPOLLERR | EPOLLHUP)) {
		client_end(client);
		return;
	}
	if (client->held && !flush(client))
		return;
	for (unsigned i = 0; i < MOVES_A_TURN; i++) {
		if (!move(client, events & EPOLLRDHUP))
			return;
	}
	limit_again(watch, events);
}

/* What the client has said by now goes back before anything is watched. */
static void answer_first(struct client *client)
{
	ssize_t sent = 0, length = recv(client->watch.fd, buffer, sizeof buffer, 0);

	if (length > 0)
		sent = limit_send(&client->watch, buffer, (size_t)length);
	if (sent < 0)
		sent = 0;
	if (length > sent) {
		hold(client, buffer + sent, (size_t)(length - sent));
		client->writing = true;
	}
}

static void on_listener(struct limit_watch *watch, uint32_t events)
{
	int fd;

	(void)watch;
	(void)events;
	while ((fd = limit_accept()) >= 0) {
		struct client *client = limit_alloc(sizeof *client);
		uint32_t out;

		client->watch = (struct limit_watch){.happened = on_client, .fd = fd};
		answer_first(client);
		out = client->writing ? EPOLLOUT : 0;
		limit_watch(&client->watch, EPOLLIN | EPOLLRDHUP | EPOLLET | out);
	}
}

int main(int argc, char *argv[])
{
	struct limit_watch listener = {.happened = on_listener, .fd = LIMIT_FD};

	limit_fork(argc > 1 ? argv[1] : NULL);
	limit_begin();
	limit_watch(&listener, EPOLLIN | EPOLLEXCLUSIVE);
	limit_run();
}
