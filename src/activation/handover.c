/*
 * An adoptd before this one, which starts it to take its place.
 *
 * It gives a list of all its descriptors, those of its own `listen` addresses too, and goes
 * on serving them until this one has said that it has adopted them. So there is always one
 * that accepts, and never one that accepts and then fails to start.
 */
#include "activation.h"

#include "adopt/adopt.h"
#include "environment.h"
#include "support/fd_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Between two tries where memory is short. */
#define SHORTAGE_MS 10

bool handover_expected(void)
{
	return getenv(HANDOVER_VARIABLE) != NULL;
}

/* --- the list --- */

static int take_record(struct fd_received *received, size_t i,
		       const struct fd_message_record *record, struct inherited_list *list)
{
	const char *source = giver_find(record->source);
	const struct inherited what = {
		.fd = received->fds[i],
		.number = record->number,
		.source = source ? source : giver_handover.name,
		.opened = record->opened,
	};
	int r = inherited_take(list, record->name, &what);

	if (r == 0)
		received->fds[i] = -1;
	return r;
}

static int take_records(struct fd_received *received, struct inherited_list *list)
{
	const unsigned char *at = received->body;
	size_t left = received->header.body_bytes;
	struct fd_message_record record;
	int r = 0;

	for (size_t i = 0; i < received->fd_count && r == 0; i++) {
		r = fd_message_read_record(&at, &left, &record);
		if (r == 0)
			r = take_record(received, i, &record, list);
	}
	return r;
}

/* fd: the list's, on success only. */
static int add_elder(struct inherited_list *list, int fd)
{
	int *elders = realloc(list->elders, (list->elder_count + 1) * sizeof *elders);

	if (!elders)
		return -ENOMEM;
	list->elders = elders;
	elders[list->elder_count++] = fd;
	return 0;
}

static int take_end(struct fd_received *received, struct inherited_list *list)
{
	struct fd_message_sender sender;
	int r = fd_message_read_sender(received->body, received->header.body_bytes, &sender);

	for (size_t i = 0; i < received->fd_count && r == 0; i++) {
		r = add_elder(list, received->fds[i]);
		if (r == 0)
			received->fds[i] = -1;
	}
	if (r < 0)
		return r;
	list->stderr_taken = list->stderr_taken || sender.stderr_taken;
	inherited_note(list, "taking over from process %lld", (long long)sender.pid);
	return 0;
}

/* ret_end: whether that was all. */
static int take_message(int fd, struct inherited_list *list, bool *ret_end)
{
	struct fd_received received;
	int r = fd_socket_receive(fd, HANDOVER_TIMEOUT_MS, &received);

	if (r < 0)
		return r;
	*ret_end = received.header.kind == FD_MESSAGE_END;
	if (*ret_end)
		r = take_end(&received, list);
	else if (received.header.kind == FD_MESSAGE_DESCRIPTORS)
		r = take_records(&received, list);
	/* All others are a later version's, and may be left. */
	fd_received_done(&received);
	return r;
}

static int collect(const struct activation_request *request, struct inherited_list *list,
		   char **ret_message)
{
	const char *text = getenv(HANDOVER_VARIABLE);
	bool end = false;
	int fd, r;

	(void)request;
	if (!text)
		return 0;
	r = environment_unix_stream(text, &fd);
	if (r == 0)
		r = adopt_descriptor_prepare(fd);
	if (r < 0)
		r = giver_fail(r, ret_message,
			       HANDOVER_VARIABLE "=%s does not name the socket of a hand-over: %s",
			       text, strerror(-r));
	unsetenv(HANDOVER_VARIABLE);
	if (r < 0)
		return r;
	list->handed_over = true;
	list->answer_fd = fd;
	while (r == 0 && !end)
		r = take_message(fd, list, &end);
	if (r < 0 && r != -ENOMEM)
		r = giver_fail(r, ret_message,
			       "the adoptd before this one cannot hand over to it: %s",
			       r == -EPROTONOSUPPORT ? "it does so in another way" : strerror(-r));
	return r;
}

const struct giver giver_handover = {.name = "hand-over", .collect = collect};

/* --- the answer --- */

static int say_ready(int fd)
{
	const struct fd_message_sender self = {.pid = getpid()};
	struct fd_message *message = malloc(sizeof *message);
	int r;

	if (!message)
		return -ENOMEM;
	fd_message_begin(message, FD_MESSAGE_READY);
	fd_message_set_sender(message, &self);
	r = fd_socket_send_all(fd, message, HANDOVER_TIMEOUT_MS);
	free(message);
	return r;
}

/* The other one may have left it all to this one by now: a shortage is waited out. What
 * failed has read nothing, as memory for a body is asked for after the header, and a GO has
 * none. */
static int await_go(int fd)
{
	uint64_t until_ms = fd_socket_until(HANDOVER_TIMEOUT_MS);
	struct fd_received received;
	int r;

	while ((r = fd_socket_receive(fd, fd_socket_left(until_ms), &received)) == -ENOMEM &&
	       fd_socket_left(until_ms) > 0)
		poll(NULL, 0, SHORTAGE_MS);
	if (r < 0)
		return r;
	if (received.header.kind != FD_MESSAGE_GO)
		r = -EBADMSG;
	fd_received_done(&received);
	return r;
}

int handover_accept(struct inherited_list *list)
{
	int r;

	if (!list->handed_over)
		return 0;
	/* First, as nothing may fail any more when the other one has left it all. */
	r = add_elder(list, list->answer_fd);
	if (r < 0)
		return r;
	r = say_ready(list->answer_fd);
	if (r == 0)
		r = await_go(list->answer_fd);
	if (r == 0)
		list->handed_over = false;
	else
		list->elder_count--;
	return r;
}
