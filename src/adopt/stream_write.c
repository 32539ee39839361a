/* A stream connection's writing: at once as far as the kernel takes it, else later. */
#include "pipe_pool.h"
#include "socket.h"
#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* What could not be sent at once. It is there only while something waits. */
struct backlog {
	struct event writable;
	struct output output;
};

size_t stream_queued(const struct adopt_transport *transport)
{
	const struct backlog *backlog = ((const struct stream *)transport)->backlog;

	return backlog ? backlog->output.length : 0;
}

static void on_writable(evutil_socket_t fd, short what, void *argument);

static int backlog_begin(struct stream *stream)
{
	struct backlog *backlog = calloc(1, sizeof *backlog);

	if (!backlog)
		return -ENOMEM;
	backlog->output.records = stream->base.records;
	event_assign(&backlog->writable, event_reactor(stream->base.reactor)->events, stream->fd,
		     EV_WRITE | EV_PERSIST, on_writable, stream);
	if (event_add(&backlog->writable, NULL) < 0) {
		free(backlog);
		return -ENOMEM;
	}
	stream->backlog = backlog;
	return 0;
}

void stream_backlog_end(struct stream *stream)
{
	struct backlog *backlog = stream->backlog;

	if (!backlog)
		return;
	stream->backlog = NULL;
	event_del(&backlog->writable);
	output_clear(&backlog->output);
	free(backlog);
}

/* Nothing says then that the peer is gone, and what it would answer to has a hole. */
static bool is_shortage(int error)
{
	return error == -ENOMEM || error == -ENOBUFS;
}

void stream_write_failed(struct stream *stream, int error)
{
	stream_backlog_end(stream);
	stream->write_shut = true;
	stream->write_ended = true;
	stream->error = error;
	if (stream->closing || is_shortage(error))
		stream_lose(stream, error);
	else
		stream_lose_if_over(stream);
}

/* Nagle's algorithm holds back what is small while something is under way, which the
 * first to go never finds: who says one thing is spared the call. */
static void send_undelayed(struct stream *stream)
{
	if (!stream->delays || stream->base.sent == 0)
		return;
	socket_no_delay(stream->fd);
	stream->delays = false;
}

static int queue(struct stream *stream, const void *data, size_t length)
{
	bool first = !stream->backlog;
	int error = first ? backlog_begin(stream) : 0;

	if (error < 0)
		return error;
	error = output_append(&stream->backlog->output, data, length);
	if (error < 0 && first)
		stream_backlog_end(stream);
	return error;
}

/* Behind others a record waits; that the socket cannot carry it is to be known
 * now. Linux keeps 32 bytes of the send buffer for itself. */
static bool record_fits(struct stream *stream, size_t length)
{
	int bytes = 0;
	socklen_t size = sizeof bytes;

	if (getsockopt(stream->fd, SOL_SOCKET, SO_SNDBUF, &bytes, &size) < 0)
		return true;
	return length + 32 <= (size_t)bytes;
}

int stream_write(struct adopt_transport *transport, const void *data, size_t length)
{
	struct stream *stream = (struct stream *)transport;
	ssize_t sent = 0;
	int error;

	if (stream->write_shut || stream->lost)
		return -EPIPE;
	if (adopt_transport_full(transport) || (stream->backlog && stream->backlog->output.pipe))
		return -ENOBUFS;
	if (length == 0 && !stream->base.records)
		return 0;
	stream_idle_used(stream);
	if (!stream->backlog) {
		send_undelayed(stream);
		sent = output_send(stream->fd, data, length);
		if (sent > 0)
			transport->sent += (uint64_t)sent;
		if (sent == (ssize_t)length)
			return 0;
		if (sent == -EMSGSIZE)
			return -EMSGSIZE;
		if (sent < 0 && sent != -EAGAIN) {
			stream_write_failed(stream, (int)sent);
			return -EPIPE;
		}
		if (sent < 0)
			sent = 0;
	} else if (stream->base.records && !record_fits(stream, length)) {
		return -EMSGSIZE;
	}
	error = queue(stream, (const char *)data + sent, length - (size_t)sent);
	if (error < 0) {
		/* What went out cannot be called back: the stream has a hole. */
		if (sent > 0)
			stream_write_failed(stream, error);
		return error;
	}
	return adopt_transport_full(transport) ? 1 : 0;
}

bool stream_write_pipe(struct stream *stream, struct pipe *pipe, size_t length)
{
	struct output output = {.pipe = pipe, .length = length};
	int error;

	send_undelayed(stream);
	error = output_flush(&output, stream->fd, &stream->base.sent);
	stream_idle_used(stream);
	if (error == 0 && output_is_empty(&output))
		return true;
	if (error == 0)
		error = backlog_begin(stream);
	if (error < 0) {
		output_clear(&output);
		stream_write_failed(stream, error);
		return true;
	}
	stream->backlog->output = output;
	stream->base.drained_owed = true;
	return false;
}

/* A pipe is filled anew only when it is empty. */
static bool has_room(const struct stream *stream)
{
	const struct output *output = stream->backlog ? &stream->backlog->output : NULL;

	return !output || (!output->pipe && output->length <= stream->base.write_bound / 2);
}

static void tell_drained(struct stream *stream)
{
	struct adopt_protocol *protocol = stream->base.protocol;

	if (!stream->base.drained_owed || !has_room(stream))
		return;
	stream->base.drained_owed = false;
	if (!stream->closing && !stream->lost && protocol->ops->drained)
		protocol->ops->drained(protocol);
}

static void on_writable(evutil_socket_t fd, short what, void *argument)
{
	struct stream *stream = argument;
	struct event_reactor *reactor = event_reactor(stream->base.reactor);
	struct output *output = &stream->backlog->output;
	size_t before = output->length;
	int error;

	(void)what;
	event_reactor_enters(reactor);
	stream_event_begins(stream);
	send_undelayed(stream);
	error = output_flush(output, fd, &stream->base.sent);
	if (output->length < before)
		stream_idle_used(stream);
	if (error < 0) {
		stream_write_failed(stream, error);
	} else if (output_is_empty(output)) {
		stream_backlog_end(stream);
		stream_flushed(stream);
	} else if (stream->closing && output->length < before) {
		adopt_timer_start(stream->timer, ADOPT_CLOSE_STALL_MS);
	}
	tell_drained(stream);
	stream_event_ends(stream);
	event_reactor_leaves(reactor);
}
