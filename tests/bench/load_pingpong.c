/*
 * Kept connections: a client says its message, waits until it has it back, and says the
 * next one. The backend sends back what comes.
 */
#include "load.h"
#include "pattern.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* So many are connected at a time while setting up: a listen queue may be short. */
#define CONNECTING_MAX 64

struct client {
	struct watch watch;
	unsigned number;
	bool said; /* its first message, which waits until it is connected */
	uint64_t round;
	uint64_t began_ns;
	size_t received;
	unsigned char *buffer; /* of load->size */
};

struct kept {
	struct client *clients;
	unsigned connected; /* or on the way */
};

static uint64_t message_of(const struct client *client)
{
	return (uint64_t)client->number << 32 | client->round;
}

static void connect_more(struct load *load);

static void client_end(struct client *client, enum outcome outcome)
{
	struct load *load = client->watch.load;

	close(client->watch.fd);
	client->watch.fd = -1;
	load_end(load, client->began_ns, outcome, 0);
	if (load->phase == PHASE_SETTING_UP) {
		load_ready(load);
		connect_more(load);
	}
}

/* Returns 0, -EAGAIN where it is not connected yet, or what went wrong. */
static int client_say(struct client *client)
{
	size_t size = client->watch.load->size;
	unsigned char buffer[MESSAGE_MAX_BYTES];
	ssize_t sent;

	message_write(buffer, size, message_of(client));
	sent = load_send(client->watch.fd, buffer, size);
	if (sent < 0)
		return (int)sent;
	return (size_t)sent == size ? 0 : -EMSGSIZE;
}

static void client_begin(struct client *client)
{
	client->round++;
	client->received = 0;
	client->began_ns = load_begin(client->watch.load);
	if (client_say(client) < 0)
		client_end(client, OUTCOME_FAILED);
}

/* The message is back. */
static void client_answered(struct client *client)
{
	struct load *load = client->watch.load;

	if (!message_is(client->buffer, load->size, message_of(client))) {
		client_end(client, OUTCOME_WRONG);
		return;
	}
	load_end(load, client->began_ns, OUTCOME_DONE, 1);
	if (load->phase == PHASE_SETTING_UP) {
		load_ready(load);
		connect_more(load);
	} else if (load->phase == PHASE_RUNNING && !load->once) {
		client_begin(client);
	}
}

static void client_read(struct client *client)
{
	struct load *load = client->watch.load;
	ssize_t length = load_receive(client->watch.fd, client->buffer + client->received,
				      load->size - client->received);

	if (length == -EAGAIN)
		return;
	if (length <= 0) {
		client_end(client, OUTCOME_FAILED);
		return;
	}
	client->received += (size_t)length;
	if (client->received == load->size)
		client_answered(client);
}

static void on_client(struct watch *watch, uint32_t events)
{
	struct client *client = (struct client *)watch;
	int error;

	if (client->said) {
		client_read(client);
		return;
	}
	if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
		return;
	error = client_say(client);
	if (error == 0) {
		client->said = true;
		load_rewatch(watch, EPOLLIN);
	} else if (error != -EAGAIN) {
		client_end(client, OUTCOME_FAILED);
	}
}

static void client_connect(struct load *load, struct client *client)
{
	client->buffer = load_alloc(1, load->size);
	client->watch.happened = on_client;
	client->watch.load = load;
	client->watch.fd = load_connect(load, client->number, SOCK_STREAM);
	client->began_ns = load_begin(load);
	if (client->watch.fd < 0) {
		load_end(load, client->began_ns, OUTCOME_FAILED, 0);
		load_ready(load);
		return;
	}
	load_watch(load, &client->watch, EPOLLOUT);
}

static void connect_more(struct load *load)
{
	struct kept *kept = load->clients_of_mode;

	while (kept->connected < load->clients && kept->connected - load->ready < CONNECTING_MAX)
		client_connect(load, &kept->clients[kept->connected++]);
}

static void set_up(struct load *load)
{
	struct kept *kept = load_alloc(1, sizeof *kept);

	load->clients_of_mode = kept;
	kept->clients = load_alloc(load->clients, sizeof *kept->clients);
	for (unsigned i = 0; i < load->clients; i++)
		kept->clients[i].number = load_number(load, i);
	connect_more(load);
}

static void start(struct load *load)
{
	struct kept *kept = load->clients_of_mode;

	for (unsigned i = 0; i < load->clients; i++) {
		if (kept->clients[i].watch.fd >= 0)
			client_begin(&kept->clients[i]);
	}
}

/* What comes is no longer than what all are told to say, and fits the socket's buffer. */
static void on_guest(struct watch *watch, uint32_t events)
{
	unsigned char buffer[MESSAGE_MAX_BYTES];
	ssize_t length = load_receive(watch->fd, buffer, sizeof buffer);

	(void)events;
	if (length == -EAGAIN)
		return;
	if (length <= 0 || load_send(watch->fd, buffer, (size_t)length) != length) {
		close(watch->fd);
		free(watch);
	}
}

static void backend(struct load *load, int fd)
{
	struct watch *guest = load_alloc(1, sizeof *guest);

	*guest = (struct watch){.happened = on_guest, .fd = fd};
	load_watch(load, guest, EPOLLIN);
}

const struct load_mode load_pingpong = {
	.name = "pingpong",
	.set_up = set_up,
	.start = start,
	.backend = backend,
};
