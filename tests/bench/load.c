/*
 * Short connections through a server, and the backend behind it:
 *
 *	load PORT BACKEND-FD SECONDS CLIENTS <OPENING
 *
 * So many clients at a time connect to 127.0.0.1:PORT, say what is on the standard input,
 * read to the end, and begin again. The backend, on a listening socket that was handed
 * over, takes an opening, answers with a line, and closes. Prints how many connections
 * were answered, and how many failed.
 */
#include "adopt/adopt.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char answer[] = "welcome\n";

struct load {
	struct adopt_factory clients;
	struct adopt_factory backend;
	struct adopt_reactor *reactor;
	struct adopt_address target;
	struct adopt_call next; /* begins clients where some have ended */
	char opening[4096];
	size_t opening_length;
	unsigned wanted; /* clients at a time */
	unsigned present;
	unsigned long answered;
	unsigned long failed;
};

/* One connection, of either side. */
struct talk {
	struct adopt_protocol base;
	struct load *load;
	size_t length; /* read so far */
};

static void fail(const char *what, int error)
{
	fprintf(stderr, "load: %s: %s\n", what, adopt_error_text(error));
	exit(EXIT_FAILURE);
}

static struct load *of_clients(struct adopt_factory *factory)
{
	return (struct load *)((char *)factory - offsetof(struct load, clients));
}

static struct adopt_protocol *build(struct load *load, const struct adopt_protocol_ops *ops)
{
	struct talk *talk = calloc(1, sizeof *talk);

	if (!talk)
		fail("a connection", -ENOMEM);
	talk->base.ops = ops;
	talk->load = load;
	return &talk->base;
}

static void backend_lost(struct adopt_protocol *protocol, int error)
{
	(void)error;
	free(protocol);
}

static void backend_reads(struct adopt_protocol *protocol, const void *data, size_t length)
{
	struct talk *talk = (struct talk *)protocol;

	(void)data;
	talk->length += length;
	if (talk->length < talk->load->opening_length)
		return;
	adopt_transport_write(protocol->transport, answer, sizeof answer - 1);
	adopt_transport_close(protocol->transport);
}

static const struct adopt_protocol_ops backend_ops = {
	.data_received = backend_reads,
	.connection_lost = backend_lost,
};

static struct adopt_protocol *build_backend(struct adopt_factory *factory,
					    const struct adopt_address *peer)
{
	(void)peer;
	return build((struct load *)((char *)factory - offsetof(struct load, backend)),
		     &backend_ops);
}

static void client_ended(struct load *load, bool answered)
{
	if (!load->reactor)
		return; /* it is being freed: the time is over */
	load->present--;
	if (answered)
		load->answered++;
	else
		load->failed++;
	adopt_call_soon(load->reactor, &load->next);
}

static void client_made(struct adopt_protocol *protocol)
{
	struct load *load = ((struct talk *)protocol)->load;

	adopt_transport_write(protocol->transport, load->opening, load->opening_length);
}

static void client_reads(struct adopt_protocol *protocol, const void *data, size_t length)
{
	(void)data;
	((struct talk *)protocol)->length += length;
}

static void client_lost(struct adopt_protocol *protocol, int error)
{
	struct talk *talk = (struct talk *)protocol;

	client_ended(talk->load, error == 0 && talk->length == sizeof answer - 1);
	free(talk);
}

static const struct adopt_protocol_ops client_ops = {
	.connection_made = client_made,
	.data_received = client_reads,
	.connection_lost = client_lost,
};

static struct adopt_protocol *build_client(struct adopt_factory *factory,
					   const struct adopt_address *peer)
{
	(void)peer;
	return build(of_clients(factory), &client_ops);
}

static void connect_failed(struct adopt_factory *factory, int error)
{
	(void)error;
	client_ended(of_clients(factory), false);
}

static void begin_clients(struct adopt_call *call)
{
	struct load *load = (struct load *)((char *)call - offsetof(struct load, next));

	for (; load->present < load->wanted; load->present++) {
		int error = adopt_connect_stream(load->reactor, &load->target, SOCK_STREAM, 0,
						 &load->clients, NULL);

		if (error < 0)
			fail("connect", error);
	}
}

static void time_is_over(void *context)
{
	adopt_reactor_stop(context);
}

static void read_opening(struct load *load)
{
	load->opening_length = fread(load->opening, 1, sizeof load->opening, stdin);
	if (load->opening_length == 0)
		fail("the opening", -ENODATA);
}

/* Measures for so many seconds. */
static void run(struct load *load, int backend_fd, unsigned seconds)
{
	struct adopt_timer *end = NULL;
	int error = adopt_reactor_new(&load->reactor);

	if (error == 0)
		error = adopt_stream_port(load->reactor, backend_fd, AF_UNSPEC, &load->backend,
					  NULL);
	if (error == 0)
		error = adopt_timer_new(load->reactor, time_is_over, load->reactor, &end);
	if (error < 0)
		fail("begin", error);
	adopt_timer_start(end, seconds * 1000UL);
	adopt_call_soon(load->reactor, &load->next);
	error = adopt_reactor_run(load->reactor);
	if (error < 0)
		fail("run", error);
	printf("%lu %lu\n", load->answered, load->failed);
	adopt_timer_free(&end);
	adopt_reactor_free(&load->reactor);
}

int main(int argc, char *argv[])
{
	static const struct adopt_factory_ops backend = {.build_protocol = build_backend};
	static const struct adopt_factory_ops clients = {.build_protocol = build_client,
							 .connect_failed = connect_failed};
	struct load load = {
		.clients = {.ops = &clients},
		.backend = {.ops = &backend},
		.next = {.run = begin_clients},
	};
	char address[32];

	if (argc != 5) {
		fprintf(stderr, "usage: load PORT BACKEND-FD SECONDS CLIENTS <OPENING\n");
		return 64;
	}
	snprintf(address, sizeof address, "127.0.0.1:%s", argv[1]);
	if (adopt_address_parse(address, &load.target) < 0)
		fail(address, -EINVAL);
	load.wanted = (unsigned)atoi(argv[4]);
	read_opening(&load);
	run(&load, atoi(argv[2]), (unsigned)atoi(argv[3]));
	return EXIT_SUCCESS;
}
