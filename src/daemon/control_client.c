#include "control_client.h"

#include "control.h"
#include "control_commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct control_client {
	struct adopt_protocol base;
	struct server *server;
	struct control *control;
	control_client_gone *gone;
	struct adopt_timer *patience;
	size_t length;
	char input[CONTROL_REQUEST_BYTES]; /* what has been asked, and not been answered */
};

/* In the order of their enumeration. */
static control_run *const commands[] = {
	control_status, control_ports,   control_connections, control_upstreams, control_kill,
	control_drain,  control_undrain, control_reload,      control_log_level,
};

/* Returns what adopt_transport_write() returns, or -ENOMEM. */
static int send_answer(struct control_client *client, const struct control_answer *answer)
{
	char *line = control_answer_line(answer);
	int result =
		line ? adopt_transport_write(client->base.transport, line, strlen(line)) : -ENOMEM;

	free(line);
	return result;
}

static int answer_line(struct control_client *client, const char *line, size_t length)
{
	struct control_answer answer = {0};
	struct control_request request;
	struct control_problem problem;
	int result = control_request_read(line, length, &request, &problem);

	if (result == -EINVAL) {
		control_fail(&answer, problem.code, "%s", problem.text);
	} else if (result < 0) {
		control_check(&answer, result);
	} else {
		commands[request.command](client->server, &request, &answer);
		control_request_done(&request);
	}
	result = send_answer(client, &answer);
	control_answer_done(&answer);
	return result;
}

static void take(struct control_client *client, size_t length)
{
	client->length -= length;
	memmove(client->input, client->input + length, client->length);
}

static void be_patient(struct control_client *client)
{
	adopt_timer_start(client->patience, CONTROL_PATIENCE_MS);
}

/* Answers what has been asked, until what was answered must be read first. */
static void work(struct control_client *client)
{
	struct adopt_transport *transport = client->base.transport;
	char *end;
	int result = adopt_transport_full(transport) ? 1 : 0;

	while (result == 0 && (end = memchr(client->input, '\n', client->length))) {
		size_t length = (size_t)(end - client->input);

		be_patient(client);
		result = answer_line(client, client->input, length);
		take(client, length + 1);
	}
	if (result < 0)
		adopt_transport_abort(transport);
	else if (result == 1)
		adopt_transport_pause(transport);
	else
		adopt_transport_resume(transport);
}

static void made(struct adopt_protocol *protocol)
{
	struct control_client *client = (struct control_client *)protocol;

	be_patient(client);
}

static void refuse_length(struct control_client *client)
{
	struct control_answer answer = {0};

	control_fail(&answer, "request", "more than %d bytes at once are too many",
		     CONTROL_REQUEST_BYTES);
	(void)send_answer(client, &answer);
	adopt_transport_close(client->base.transport);
}

static void data_received(struct adopt_protocol *protocol, const void *data, size_t length)
{
	struct control_client *client = (struct control_client *)protocol;

	if (length > sizeof client->input - client->length) {
		refuse_length(client);
		return;
	}
	memcpy(client->input + client->length, data, length);
	client->length += length;
	work(client);
}

static void drained(struct adopt_protocol *protocol)
{
	struct control_client *client = (struct control_client *)protocol;

	be_patient(client);
	work(client);
}

static void lost(struct adopt_protocol *protocol, int error)
{
	struct control_client *client = (struct control_client *)protocol;

	(void)error;
	adopt_timer_free(&client->patience);
	client->gone(client->control);
	free(client);
}

static const struct adopt_protocol_ops ops = {
	.connection_made = made,
	.data_received = data_received,
	.drained = drained,
	.connection_lost = lost,
};

static void out_of_patience(void *context)
{
	struct control_client *client = context;

	adopt_transport_abort(client->base.transport);
}

struct adopt_protocol *control_client_new(struct server *server, struct control *control,
					  control_client_gone *gone)
{
	struct control_client *client = calloc(1, sizeof *client);

	if (!client)
		return NULL;
	*client = (struct control_client){
		.base.ops = &ops, .server = server, .control = control, .gone = gone};
	if (adopt_timer_new(server->reactor, out_of_patience, client, &client->patience) < 0) {
		free(client);
		return NULL;
	}
	return &client->base;
}
