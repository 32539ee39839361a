#include "control.h"

#include "control_client.h"
#include "server_parts.h"

#include <errno.h>
#include <stdlib.h>

/* Where it accepts from; without a socket nowhere. */
struct place {
	const struct listen_socket *socket;
	struct adopt_port *port;
};

struct control {
	struct adopt_factory base;
	struct server *server;
	struct place present;
	struct place next; /* prepared, where it differs */
	bool moves;        /* it does */
	unsigned clients;
};

static void client_gone(struct control *control)
{
	if (control->clients-- == CONTROL_CLIENTS_MAX && control->present.port)
		adopt_port_resume(control->present.port);
}

static struct adopt_protocol *build(struct adopt_factory *factory, const struct adopt_address *peer)
{
	struct control *control = (struct control *)factory;
	struct adopt_protocol *protocol;

	(void)peer;
	protocol = control_client_new(control->server, control, client_gone);
	if (protocol && ++control->clients == CONTROL_CLIENTS_MAX && control->present.port)
		adopt_port_pause(control->present.port);
	return protocol;
}

/* The reactor has ended, and its ports with it. */
static void stop(struct adopt_factory *factory)
{
	struct control *control = (struct control *)factory;

	control->present.port = control->next.port = NULL;
}

static const struct adopt_factory_ops ops = {.stop = stop, .build_protocol = build};

int control_new(struct server *server, struct control **ret)
{
	struct control *control = calloc(1, sizeof *control);

	if (!control)
		return -ENOMEM;
	control->base.ops = &ops;
	control->server = server;
	*ret = control;
	return 0;
}

void control_free(struct control **control)
{
	free(*control);
	*control = NULL;
}

int control_prepare(struct control *control, const struct setup *setup)
{
	struct place next = {0};
	int error = 0;

	if (setup->control.count > 0)
		next.socket = setup->control.items[0].socket;
	control->moves = next.socket != control->present.socket;
	if (!control->moves)
		return 0;
	if (next.socket)
		error = adopt_stream_port(control->server->reactor, next.socket->fd, AF_UNIX,
					  &control->base, &next.port);
	if (error < 0) {
		control->moves = false;
		return error;
	}
	control->next = next;
	return 0;
}

void control_commit(struct control *control)
{
	if (!control->moves)
		return;
	adopt_port_stop(&control->present.port);
	control->present = control->next;
	control->next = (struct place){0};
	control->moves = false;
	if (control->clients >= CONTROL_CLIENTS_MAX && control->present.port)
		adopt_port_pause(control->present.port);
}

void control_discard(struct control *control)
{
	adopt_port_stop(&control->next.port);
	control->next = (struct place){0};
	control->moves = false;
}

void control_close(struct control *control)
{
	adopt_port_stop(&control->present.port);
}
