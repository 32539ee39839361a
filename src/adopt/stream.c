/* A stream connection: a transport on a socket, and its life. */
#include "stream.h"
#include "socket.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

static struct stream *from_transport(struct adopt_transport *transport)
{
	return (struct stream *)transport;
}

void stream_watch_read(struct stream *stream)
{
	/* An event of its own looks once, at its end: pausing and resuming in
	   between costs nothing. */
	if (stream->busy)
		return;
	if (!stream_wants_bytes(stream))
		event_del(&stream->readable);
	else if (event_add(&stream->readable, NULL) < 0)
		stream_lose(stream, -ENOMEM);
}

void stream_watch_write(struct stream *stream)
{
	if (stream->lost || output_is_empty(&stream->output))
		event_del(&stream->writable);
	else if (event_add(&stream->writable, NULL) < 0)
		stream_lose(stream, -ENOMEM);
}

static void dismantle(struct stream *stream)
{
	adopt_call_cancel(stream->base.reactor, &stream->finish);
	event_del(&stream->readable);
	event_del(&stream->writable);
	adopt_timer_free(&stream->patience);
	adopt_timer_free(&stream->look);
	stream_idle_free(stream);
	output_clear(&stream->output);
	LIST_REMOVE(stream, link);
}

static void release(struct stream *stream)
{
	address_forget(&stream->base.peer);
	free(stream);
}

static void finish(struct stream *stream)
{
	struct adopt_reactor *reactor = stream->base.reactor;
	struct adopt_protocol *protocol = stream->base.protocol;
	struct adopt_attachment *attachments = stream->base.attachments;
	struct adopt_end end = adopt_end_of(&stream->base, stream->error);

	dismantle(stream);
	if (end.error != 0)
		socket_reset_on_close(stream->fd);
	socket_close(stream->fd);
	release(stream);
	protocol->transport = NULL;
	protocol->ops->connection_lost(protocol, end.error);
	adopt_attachments_end(attachments, &end);
	adopt_count_connection_ended(reactor, end.error);
}

static struct stream *from_finish(struct adopt_call *call)
{
	return (struct stream *)((char *)call - offsetof(struct stream, finish));
}

static void finish_later(struct adopt_call *call)
{
	finish(from_finish(call));
}

void stream_lose(struct stream *stream, int error)
{
	if (stream->lost)
		return;
	stream->lost = true;
	stream->error = error;
	event_del(&stream->readable);
	event_del(&stream->writable);
	if (!stream->busy)
		adopt_call_soon(stream->base.reactor, &stream->finish);
}

void stream_lose_if_over(struct stream *stream)
{
	if (stream->read_closed && stream->write_ended && stream->fd >= 0)
		stream_lose(stream, stream->error);
}

void stream_end(struct stream *stream)
{
	stream->error = stream->lost ? stream->error : -ECANCELED;
	finish(stream);
}

void stream_event_begins(struct stream *stream)
{
	stream->busy = true;
}

void stream_event_ends(struct stream *stream)
{
	stream->busy = false;
	if (stream->detached)
		release(stream);
	else if (stream->lost)
		finish(stream);
	else {
		stream_watch_read(stream);
		stream_watch_write(stream);
	}
}

void stream_write_failed(struct stream *stream, int error)
{
	output_clear(&stream->output);
	stream_watch_write(stream);
	stream->write_shut = true;
	stream->write_ended = true;
	stream->error = error;
	if (stream->closing)
		stream_lose(stream, error);
	else
		stream_lose_if_over(stream);
}

static void end_writing(struct stream *stream)
{
	if (stream->write_ended)
		return;
	stream->write_ended = true;
	/* With both ends gone it is closed next, which says the same. */
	if (!stream->read_closed)
		shutdown(stream->fd, SHUT_WR);
}

/* All is sent. The peer may still be sending: it is heard out for a while. */
static void linger(struct stream *stream)
{
	if (stream->read_closed) {
		stream_lose(stream, stream->error);
		return;
	}
	end_writing(stream);
	stream->lingering = true;
	adopt_timer_start(stream->patience, ADOPT_CLOSE_LINGER_MS);
	stream_watch_read(stream);
}

void stream_flushed(struct stream *stream)
{
	if (stream->closing)
		linger(stream);
	else if (stream->write_shut) {
		end_writing(stream);
		stream_lose_if_over(stream);
	}
}

static void out_of_patience(void *context)
{
	struct stream *stream = context;

	stream_lose(stream, stream->lingering ? 0 : -ETIMEDOUT);
}

void stream_close(struct stream *stream)
{
	int error;

	if (stream->closing || stream->lost)
		return;
	stream->closing = true;
	stream->write_shut = true;
	stream_peek_prepare(stream);
	error = adopt_timer_new(stream->base.reactor, out_of_patience, stream, &stream->patience);
	if (error < 0) {
		stream_lose(stream, error);
		return;
	}
	stream_watch_read(stream);
	adopt_timer_start(stream->patience, ADOPT_CLOSE_STALL_MS);
	if (output_is_empty(&stream->output))
		linger(stream);
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

static int stream_write(struct adopt_transport *transport, const void *data, size_t length)
{
	struct stream *stream = from_transport(transport);
	ssize_t sent = 0;
	int error;

	if (stream->write_shut || stream->lost)
		return -EPIPE;
	if (adopt_transport_full(transport) || stream->output.pipe)
		return -ENOBUFS;
	if (length == 0 && !stream->records)
		return 0;
	stream_idle_used(stream);
	if (output_is_empty(&stream->output)) {
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
	} else if (stream->records && !record_fits(stream, length)) {
		return -EMSGSIZE;
	}
	error = output_append(&stream->output, (const char *)data + sent, length - (size_t)sent);
	if (error < 0) {
		/* What went out cannot be called back: the stream has a hole. */
		if (sent > 0)
			stream_write_failed(stream, error);
		return error;
	}
	stream_watch_write(stream);
	return adopt_transport_full(transport) ? 1 : 0;
}

static size_t stream_queued(const struct adopt_transport *transport)
{
	return ((const struct stream *)transport)->output.length;
}

static void stream_pause(struct adopt_transport *transport)
{
	struct stream *stream = from_transport(transport);

	stream->paused = true;
	stream_watch_read(stream);
}

static void stream_resume(struct adopt_transport *transport)
{
	struct stream *stream = from_transport(transport);

	stream->paused = false;
	stream_watch_read(stream);
}

static void stream_shutdown_write(struct adopt_transport *transport)
{
	struct stream *stream = from_transport(transport);

	if (stream->write_shut || stream->lost)
		return;
	stream->write_shut = true;
	if (output_is_empty(&stream->output))
		stream_flushed(stream);
}

static void stream_close_transport(struct adopt_transport *transport)
{
	stream_close(from_transport(transport));
}

static void stream_abort(struct adopt_transport *transport)
{
	stream_lose(from_transport(transport), -ECONNABORTED);
}

static int stream_detach(struct adopt_transport *transport, int *ret)
{
	struct stream *stream = from_transport(transport);
	struct adopt_reactor *reactor = transport->reactor;
	struct adopt_attachment *attachments = transport->attachments;
	struct adopt_end end = adopt_end_of(transport, 0);

	if (stream->lost || stream->write_shut)
		return -EPIPE;
	if (!output_is_empty(&stream->output))
		return -EBUSY;
	dismantle(stream);
	*ret = stream->fd;
	stream->detached = true;
	transport->protocol->transport = NULL;
	if (!stream->busy)
		release(stream);
	end.detached = true;
	adopt_attachments_end(attachments, &end);
	adopt_count_connection_ended(reactor, 0);
	return 0;
}

/* Without a descriptor, both directions have ended. */
static int stream_take_descriptor(struct adopt_transport *transport, int *ret)
{
	struct stream *stream = from_transport(transport);

	if (stream->lost || stream->write_shut)
		return -EPIPE;
	if (!output_is_empty(&stream->output))
		return -EBUSY;
	event_del(&stream->readable);
	event_del(&stream->writable);
	adopt_timer_free(&stream->look);
	stream_idle_free(stream);
	*ret = stream->fd;
	stream->fd = -1;
	stream->read_closed = true;
	stream->write_shut = true;
	stream->write_ended = true;
	return 0;
}

static int stream_descriptor(const struct adopt_transport *transport)
{
	return ((const struct stream *)transport)->fd;
}

static int stream_local(struct adopt_transport *transport, struct adopt_address *ret)
{
	return socket_local(from_transport(transport)->fd, ret);
}

/* Gives the stream a protocol, whose connection_made may do anything to it. */
static void introduce(struct stream *stream, struct adopt_protocol *protocol)
{
	bool nested = stream->busy;

	stream->busy = true;
	stream->base.protocol = protocol;
	stream->relay = NULL;
	stream_peek_prepare(stream);
	adopt_transport_set_protocol(&stream->base, protocol);
	stream->busy = nested;
	if (nested)
		return;
	if (stream->detached)
		release(stream);
	else if (stream->lost)
		adopt_call_soon(stream->base.reactor, &stream->finish);
	else
		stream_watch_read(stream);
}

static void stream_hand_to(struct adopt_transport *transport, struct adopt_protocol *protocol)
{
	introduce(from_transport(transport), protocol);
}

static const struct adopt_transport_ops ops = {
	.write = stream_write,
	.queued = stream_queued,
	.pause = stream_pause,
	.resume = stream_resume,
	.shutdown_write = stream_shutdown_write,
	.close = stream_close_transport,
	.abort = stream_abort,
	.detach = stream_detach,
	.take_descriptor = stream_take_descriptor,
	.local = stream_local,
	.peek = stream_peek,
	.skip = stream_skip,
	.set_idle_timeout = stream_set_idle_timeout,
	.idle_timeout = stream_idle_timeout,
	.descriptor = stream_descriptor,
	.hand_to = stream_hand_to,
	.relay = stream_relay_to,
};

static struct stream *stream_new(struct event_reactor *reactor, int fd, int type,
				 const struct adopt_address *peer)
{
	struct stream *stream = calloc(1, sizeof *stream);

	if (!stream)
		return NULL;
	*stream = (struct stream){
		.base = {.ops = &ops,
			 .reactor = &reactor->base,
			 .type = type,
			 .write_bound = ADOPT_WRITE_BOUND_BYTES},
		.finish = {.run = finish_later},
		.output = {.records = type == SOCK_SEQPACKET},
		.records = type == SOCK_SEQPACKET,
		.fd = fd,
	};
	if (address_keep(&stream->base.peer, peer) < 0) {
		free(stream);
		return NULL;
	}
	event_assign(&stream->readable, reactor->events, fd, EV_READ | EV_PERSIST,
		     stream_on_readable, stream);
	event_assign(&stream->writable, reactor->events, fd, EV_WRITE | EV_PERSIST,
		     stream_on_writable, stream);
	return stream;
}

int stream_begin(struct event_reactor *reactor, int fd, int type, const struct adopt_address *peer,
		 struct adopt_factory *factory)
{
	struct stream *stream = stream_new(reactor, fd, type, peer);
	struct adopt_protocol *protocol;

	if (!stream) {
		socket_close(fd);
		return -ENOMEM;
	}
	protocol = factory->ops->build_protocol(factory, peer);
	if (!protocol) {
		socket_close(fd);
		release(stream);
		return -ECONNABORTED;
	}
	stream->base.protocol = protocol;
	LIST_INSERT_HEAD(&reactor->streams, stream, link);
	adopt_count_connection(&stream->base);
	introduce(stream, protocol);
	return 0;
}

int event_stream_connection(struct adopt_reactor *base, int fd, int family,
			    struct adopt_factory *factory)
{
	struct event_reactor *reactor = event_reactor(base);
	struct adopt_socket_kind kind;
	struct adopt_address peer;
	int error = socket_judge(fd, family, false, &kind);
	int copy;

	if (error < 0)
		return error;
	if (kind.listening)
		return -EINVAL;
	error = socket_peer(fd, &peer);
	if (error < 0)
		return error;
	if (reactor->ending)
		return -ECANCELED;
	copy = socket_duplicate(fd);
	if (copy < 0)
		return copy;
	socket_tune_stream(copy, kind.family);
	return stream_begin(reactor, copy, kind.type, &peer, factory);
}
