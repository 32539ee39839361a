/*
 * Streams: `download` clients say their number, and the backend sends them a stream until
 * the time is over; `bulk` clients send a stream themselves and get it back. Each byte is
 * an operation. Once the time is over a stream ends, and its length is checked as well.
 */
#include "load.h"
#include "pattern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define SEND_BYTES (128 * 1024)
#define RECEIVE_BYTES (256 * 1024)

/* An event moves so many of these at most, so that clients and backends take turns. */
#define MOVES_A_TURN 4

struct client {
	struct watch watch;
	unsigned number;
	bool sends; /* bulk: its own stream goes out */
	bool shut;
	bool over;
	uint64_t sent;
	uint64_t received;
	uint64_t began_ns;
};

/* A backend's side of a download. */
struct guest {
	struct watch watch;
	LIST_ENTRY(guest) link;
	size_t asked; /* bytes of the request so far */
	unsigned char request[MESSAGE_MIN_BYTES];
	uint64_t number;
	uint64_t sent;
};

struct streams {
	struct client *clients;
	LIST_HEAD(, guest) guests;
	unsigned char received[RECEIVE_BYTES];
};

/* Sends some more of a stream. Returns 0, -EAGAIN, or what went wrong. */
static int stream_send(int fd, uint64_t number, uint64_t *sent)
{
	for (unsigned i = 0; i < MOVES_A_TURN; i++) {
		ssize_t length = load_send(fd, pattern_at(number, *sent), SEND_BYTES);

		if (length < 0)
			return (int)length;
		*sent += (uint64_t)length;
		if (length < SEND_BYTES)
			return -EAGAIN;
	}
	return 0;
}

static void client_end(struct client *client, enum outcome outcome)
{
	close(client->watch.fd);
	client->over = true;
	load_end(client->watch.load, client->began_ns, outcome, 0);
}

/* The stream is to have its whole length, and no end before its time. */
static void client_ended(struct client *client)
{
	struct load *load = client->watch.load;
	uint64_t sent = client->shut ? client->sent : load->sent[client->number];

	if (sent == 0)
		client_end(client, OUTCOME_FAILED);
	else
		client_end(client, client->received == sent ? OUTCOME_DONE : OUTCOME_WRONG);
}

static void client_receive(struct client *client)
{
	struct load *load = client->watch.load;
	unsigned char *bytes = ((struct streams *)load->clients_of_mode)->received;

	for (unsigned i = 0; i < MOVES_A_TURN; i++) {
		ssize_t length = load_receive(client->watch.fd, bytes, RECEIVE_BYTES);

		if (length == -EAGAIN)
			return;
		if (length < 0) {
			client_end(client, OUTCOME_FAILED);
			return;
		}
		if (length == 0) {
			client_ended(client);
			return;
		}
		if (memcmp(bytes, pattern_at(client->number, client->received), (size_t)length) !=
		    0) {
			client_end(client, OUTCOME_WRONG);
			return;
		}
		client->received += (uint64_t)length;
		load_count(load, (uint64_t)length);
		if (length < RECEIVE_BYTES)
			return;
	}
}

static void client_send(struct client *client)
{
	int error;

	if (client->shut)
		return;
	error = stream_send(client->watch.fd, client->number, &client->sent);
	if (error < 0 && error != -EAGAIN)
		client_end(client, OUTCOME_FAILED);
}

static void on_client(struct watch *watch, uint32_t events)
{
	struct client *client = (struct client *)watch;

	if (events & ~(uint32_t)EPOLLOUT)
		client_receive(client);
	if (!client->over && client->sends && (events & EPOLLOUT))
		client_send(client);
}

static void set_up_clients(struct load *load, bool sends)
{
	struct streams *streams = load_alloc(1, sizeof *streams);

	LIST_INIT(&streams->guests);
	streams->clients = load_alloc(load->clients, sizeof *streams->clients);
	load->clients_of_mode = streams;
	for (unsigned i = 0; i < load->clients; i++) {
		struct client *client = &streams->clients[i];

		client->number = load_number(load, i);
		client->sends = sends;
		client->watch.happened = on_client;
		client->watch.fd = load_connect(load, client->number, SOCK_STREAM);
		if (client->watch.fd < 0)
			load_die("connect");
		load_ready(load);
	}
}

static void set_up_downloads(struct load *load)
{
	set_up_clients(load, false);
}

static void set_up_bulk(struct load *load)
{
	set_up_clients(load, true);
}

static void start(struct load *load)
{
	struct client *clients = ((struct streams *)load->clients_of_mode)->clients;

	for (unsigned i = 0; i < load->clients; i++) {
		struct client *client = &clients[i];
		unsigned char request[MESSAGE_MIN_BYTES];

		client->began_ns = load_begin(load);
		load_watch(load, &client->watch, client->sends ? EPOLLIN | EPOLLOUT : EPOLLIN);
		message_write(request, sizeof request, client->number);
		if (!client->sends &&
		    load_send(client->watch.fd, request, sizeof request) != (ssize_t)sizeof request)
			client_end(client, OUTCOME_FAILED);
	}
}

static void stop_bulk(struct load *load)
{
	struct client *clients = ((struct streams *)load->clients_of_mode)->clients;

	for (unsigned i = 0; i < load->clients; i++) {
		if (clients[i].over)
			continue;
		clients[i].shut = true;
		shutdown(clients[i].watch.fd, SHUT_WR);
		load_rewatch(&clients[i].watch, EPOLLIN);
	}
}

static void guest_end(struct guest *guest)
{
	LIST_REMOVE(guest, link);
	close(guest->watch.fd);
	free(guest);
}

/* Reads the request. Returns whether it is there; the guest may be gone where it is not. */
static bool guest_read(struct guest *guest)
{
	struct load *load = guest->watch.load;
	ssize_t length = load_receive(guest->watch.fd, guest->request + guest->asked,
				      sizeof guest->request - guest->asked);

	if (length == -EAGAIN)
		return false;
	if (length <= 0) {
		guest_end(guest);
		return false;
	}
	guest->asked += (size_t)length;
	if (guest->asked < sizeof guest->request)
		return false;
	guest->number = message_number(guest->request);
	if (guest->number >= load->streams) {
		load_fault(load, OUTCOME_WRONG);
		guest_end(guest);
		return false;
	}
	load_rewatch(&guest->watch, EPOLLOUT);
	return true;
}

static void on_guest(struct watch *watch, uint32_t events)
{
	struct guest *guest = (struct guest *)watch;
	int error;

	(void)events;
	if (guest->asked < sizeof guest->request && !guest_read(guest))
		return;
	error = stream_send(watch->fd, guest->number, &guest->sent);
	if (error < 0 && error != -EAGAIN)
		guest_end(guest);
}

static void download_backend(struct load *load, int fd)
{
	struct guest *guest = load_alloc(1, sizeof *guest);

	guest->watch = (struct watch){.happened = on_guest, .fd = fd};
	load_watch(load, &guest->watch, EPOLLIN);
	LIST_INSERT_HEAD(&((struct streams *)load->clients_of_mode)->guests, guest, link);
}

static void stop_downloads(struct load *load)
{
	struct streams *streams = load->clients_of_mode;
	struct guest *guest;

	while ((guest = LIST_FIRST(&streams->guests)) != NULL) {
		if (guest->asked == sizeof guest->request)
			load->sent[guest->number] = guest->sent;
		guest_end(guest);
	}
}

const struct load_mode load_download = {
	.name = "download",
	.set_up = set_up_downloads,
	.start = start,
	.stop = stop_downloads,
	.backend = download_backend,
};

const struct load_mode load_bulk = {
	.name = "bulk",
	.set_up = set_up_bulk,
	.start = start,
	.stop = stop_bulk,
};
