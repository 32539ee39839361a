/*
 * Short connections: a client connects, says its message, reads to the end, and begins
 * again. With a backend it is answered with another message, after which the backend
 * closes. Without one it gets its own back, and is the first to close, unless it has
 * half-closed or has said nothing: then the server is to end.
 */
#include "load.h"
#include "pattern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
	struct watch watch;
	unsigned number;
	unsigned tries;
	bool resting; /* its last try failed: the next one comes with the tick */
	bool said;
	uint64_t message;
	uint64_t began_ns;
	size_t received;
	unsigned char buffer[MESSAGE_MAX_BYTES + 1];
};

/* A connection that the server has passed on. */
struct guest {
	struct watch watch;
	size_t received;
	unsigned char buffer[MESSAGE_MAX_BYTES];
};

/* No message of a client has this number: the highest bit is a backend's. */
static uint64_t answer_to(uint64_t message)
{
	return ~message;
}

static void opening_write(struct load *load, unsigned char *buffer, uint64_t message)
{
	if (load->opening)
		memcpy(buffer, load->opening, load->size);
	else
		message_write(buffer, load->size, message);
}

static void client_begin(struct load *load, struct client *client);

static void client_end(struct client *client, enum outcome outcome)
{
	struct load *load = client->watch.load;

	close(client->watch.fd);
	load_end(load, client->began_ns, outcome, 1);
	client->resting = outcome != OUTCOME_DONE;
	if (!client->resting && load->phase == PHASE_RUNNING)
		client_begin(load, client);
}

/* Says the message where that is possible yet. Returns 0, -EAGAIN, or what went wrong. */
static int client_say(struct client *client)
{
	struct load *load = client->watch.load;
	unsigned char buffer[MESSAGE_MAX_BYTES];
	ssize_t sent = 0;

	if (load->size > 0) {
		opening_write(load, buffer, client->message);
		sent = load_send(client->watch.fd, buffer, load->size);
	}
	if (sent < 0)
		return (int)sent;
	if ((size_t)sent < load->size)
		return -EMSGSIZE;
	if (load->half_close && shutdown(client->watch.fd, SHUT_WR) < 0)
		return errno == ENOTCONN ? -EAGAIN : -errno;
	client->said = true;
	return 0;
}

static bool answer_is_right(const struct client *client)
{
	const struct load *load = client->watch.load;
	bool has_backend = load->backend_fd >= 0;

	return message_is(client->buffer, client->received,
			  has_backend ? answer_to(load->opening ? 0 : client->message)
				      : client->message);
}

/* Whether the server is to end first. */
static bool end_is_awaited(const struct load *load)
{
	return load->backend_fd >= 0 || load->half_close || load->size == 0;
}

/* All of the answer, or its end: has it been what was to come? */
static void client_read(struct client *client)
{
	const struct load *load = client->watch.load;
	size_t wanted = load->size;
	ssize_t length = load_receive(client->watch.fd, client->buffer + client->received,
				      sizeof client->buffer - client->received);

	if (length == -EAGAIN)
		return;
	if (length < 0) {
		client_end(client, OUTCOME_FAILED);
		return;
	}
	client->received += (size_t)length;
	if (client->received > wanted)
		client_end(client, OUTCOME_WRONG);
	else if (length == 0 && client->received < wanted)
		client_end(client, OUTCOME_FAILED);
	else if (length == 0 || (client->received == wanted && !end_is_awaited(load)))
		client_end(client, answer_is_right(client) ? OUTCOME_DONE : OUTCOME_WRONG);
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
	if (error == 0)
		load_rewatch(watch, EPOLLIN);
	else if (error != -EAGAIN)
		client_end(client, OUTCOME_FAILED);
}

static void client_begin(struct load *load, struct client *client)
{
	int error;

	client->resting = client->said = false;
	client->received = 0;
	client->message = (uint64_t)client->number << 32 | client->tries++;
	client->began_ns = load_begin(load);
	client->watch = (struct watch){.happened = on_client, .load = load};
	client->watch.fd = load_connect(load, client->number + client->tries, SOCK_STREAM);
	if (client->watch.fd < 0) {
		load_end(load, client->began_ns, OUTCOME_FAILED, 1);
		client->resting = true;
		return;
	}
	/* Mostly it is connected already. */
	error = client_say(client);
	if (error < 0 && error != -EAGAIN)
		client_end(client, OUTCOME_FAILED);
	else
		load_watch(load, &client->watch, error == 0 ? EPOLLIN : EPOLLOUT);
}

static void set_up(struct load *load)
{
	struct client *clients = load_alloc(load->clients, sizeof *clients);

	load->clients_of_mode = clients;
	for (unsigned i = 0; i < load->clients; i++) {
		clients[i].number = load_number(load, i);
		load_ready(load);
	}
}

static void start(struct load *load)
{
	struct client *clients = load->clients_of_mode;

	for (unsigned i = 0; i < load->clients; i++)
		client_begin(load, &clients[i]);
}

static void tick(struct load *load)
{
	struct client *clients = load->clients_of_mode;

	for (unsigned i = 0; i < load->clients && load->phase == PHASE_RUNNING; i++) {
		if (clients[i].resting)
			client_begin(load, &clients[i]);
	}
}

static void guest_end(struct guest *guest)
{
	close(guest->watch.fd);
	free(guest);
}

static bool opening_is_right(const struct load *load, const unsigned char *buffer)
{
	if (load->opening)
		return memcmp(buffer, load->opening, load->size) == 0;
	return message_is(buffer, load->size, message_number(buffer));
}

/* Returns whether the guest is still there. */
static bool guest_read(struct load *load, struct guest *guest)
{
	unsigned char *buffer = guest->buffer;
	ssize_t length = load_receive(guest->watch.fd, buffer + guest->received,
				      load->size - guest->received);

	if (length == -EAGAIN)
		return true;
	if (length > 0)
		guest->received += (size_t)length;
	if (length > 0 && guest->received < load->size)
		return true;
	if (guest->received == load->size && opening_is_right(load, buffer)) {
		message_write(buffer, load->size,
			      answer_to(load->opening ? 0 : message_number(buffer)));
		load_send(guest->watch.fd, buffer, load->size);
	} else if (guest->received > 0) {
		load_fault(load, OUTCOME_WRONG);
	}
	guest_end(guest);
	return false;
}

static void on_guest(struct watch *watch, uint32_t events)
{
	(void)events;
	guest_read(watch->load, (struct guest *)watch);
}

static void backend(struct load *load, int fd)
{
	struct guest *guest = malloc(sizeof *guest);

	if (!guest)
		load_die("memory");
	guest->watch = (struct watch){.happened = on_guest, .fd = fd};
	guest->received = 0;
	if (guest_read(load, guest))
		load_watch(load, &guest->watch, EPOLLIN);
}

const struct load_mode load_short = {
	.name = "short",
	.set_up = set_up,
	.start = start,
	.tick = tick,
	.backend = backend,
};
