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
	bool wanted;

	/* An event of its own looks once, at its end: pausing and resuming in
	   between costs nothing. */
	if (stream->busy)
		return;
	wanted = stream_wants_bytes(stream);
	if (wanted == stream->watched)
		return;
	if (!wanted)
		stream_unwatch(stream);
	else if (stream->eager && !stream->peeking)
		stream_run_soon(stream);
	else if (event_add(&stream->readable, NULL) < 0)
		stream_lose(stream, -ENOMEM);
	else
		stream->watched = true;
}

void stream_unwatch(struct stream *stream)
{
	if (stream->watched)
		event_del(&stream->readable);
	stream->watched = false;
}

void stream_watch_how(struct stream *stream, bool edge)
{
	const struct event_reactor *reactor = event_reactor(stream->base.reactor);

	stream->edge = edge;
	event_assign(&stream->readable, reactor->events, stream->fd,
		     EV_READ | EV_PERSIST | reactor->hang_up | (edge ? EV_ET : 0),
		     stream_on_readable, stream);
}

static void dismantle(struct stream *stream)
{
	stream_unwatch(stream);
	stream_run_not(stream);
	adopt_timer_free(&stream->timer);
	stream_idle_free(stream);
	stream_backlog_end(stream);
	LIST_REMOVE(stream, link);
}

static void release(struct stream *stream)
{
	address_forget(&stream->base.peer);
	free(stream);
}

void stream_finish(struct stream *stream)
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

void stream_lose(struct stream *stream, int error)
{
	if (stream->lost)
		return;
	stream->lost = true;
	stream->error = error;
	stream_unwatch(stream);
	stream_backlog_end(stream);
	if (!stream->busy)
		stream_run_soon(stream);
}

void stream_lose_if_over(struct stream *stream)
{
	if (stream->read_closed && stream->write_ended && stream->fd >= 0)
		stream_lose(stream, stream->error);
}

void stream_end(struct stream *stream)
{
	stream->error = stream->lost ? stream->error : -ECANCELED;
	stream_finish(stream);
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
		stream_finish(stream);
	else
		stream_watch_read(stream);
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

static void out_of_patience(void *context)
{
	struct stream *stream = context;

	stream_lose(stream, stream->lingering ? 0 : -ETIMEDOUT);
}

static void be_patient(struct stream *stream, uint64_t timeout_ms)
{
	int error = 0;

	if (!stream->timer)
		error = adopt_timer_new(stream->base.reactor, out_of_patience, stream,
					&stream->timer);
	if (error < 0)
		stream_lose(stream, error);
	else
		adopt_timer_start(stream->timer, timeout_ms);
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
	be_patient(stream, ADOPT_CLOSE_LINGER_MS);
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

void stream_close(struct stream *stream)
{
	if (stream->closing || stream->lost)
		return;
	stream_peek_end(stream);
	stream->closing = true;
	stream->write_shut = true;
	if (!stream->backlog) {
		linger(stream);
		return;
	}
	be_patient(stream, ADOPT_CLOSE_STALL_MS);
	stream_watch_read(stream);
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

	/* Something has come meanwhile, as likely as not; but a turn's reading is not had
	   twice. */
	stream->eager = stream->eager || (stream->paused && !stream->watched && !stream->reading);
	stream->paused = false;
	stream_watch_read(stream);
}

static void stream_shutdown_write(struct adopt_transport *transport)
{
	struct stream *stream = from_transport(transport);

	if (stream->write_shut || stream->lost)
		return;
	stream->write_shut = true;
	if (!stream->backlog)
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

/* It goes to somebody who cannot know that holding back is still to be ended. */
static int taken_descriptor(struct stream *stream)
{
	if (stream->delays)
		socket_no_delay(stream->fd);
	return stream->fd;
}

static int stream_detach(struct adopt_transport *transport, int *ret)
{
	struct stream *stream = from_transport(transport);
	struct adopt_reactor *reactor = transport->reactor;
	struct adopt_attachment *attachments = transport->attachments;
	struct adopt_end end = adopt_end_of(transport, 0);

	if (stream->lost || stream->write_shut)
		return -EPIPE;
	if (stream->backlog)
		return -EBUSY;
	dismantle(stream);
	*ret = taken_descriptor(stream);
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
	if (stream->backlog)
		return -EBUSY;
	stream_unwatch(stream);
	adopt_timer_free(&stream->timer);
	stream_idle_free(stream);
	*ret = taken_descriptor(stream);
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
		stream_run_soon(stream);
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

static bool is_tcp(const struct adopt_address *peer)
{
	int family = adopt_address_family(peer);

	return family == AF_INET || family == AF_INET6;
}

struct stream *stream_new(struct event_reactor *reactor, int fd, int type,
			  const struct adopt_address *peer)
{
	struct stream *stream = malloc(sizeof *stream);

	if (!stream) {
		socket_close(fd);
		return NULL;
	}
	*stream = (struct stream){
		.base = {.ops = &ops,
			 .reactor = &reactor->base,
			 .records = type == SOCK_SEQPACKET,
			 .write_bound = ADOPT_WRITE_BOUND_BYTES},
		.delays = is_tcp(peer),
		.fd = fd,
	};
	if (address_keep(&stream->base.peer, peer) < 0) {
		stream_drop(stream);
		return NULL;
	}
	socket_no_sigpipe(fd);
	return stream;
}

void stream_drop(struct stream *stream)
{
	socket_close(stream->fd);
	release(stream);
}

int stream_begin(struct stream *stream, bool eager, struct adopt_factory *factory)
{
	struct event_reactor *reactor = event_reactor(stream->base.reactor);
	struct adopt_protocol *protocol;
	struct adopt_address peer;

	address_kept(&stream->base.peer, &peer);
	protocol = factory->ops->build_protocol(factory, &peer);
	if (!protocol) {
		stream_drop(stream);
		return -ECONNABORTED;
	}
	stream->connecting = false;
	stream->idle = NULL;
	stream->eager = eager;
	stream->base.protocol = protocol;
	stream_watch_how(stream, false);
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
	struct stream *stream;
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
	copy = event_reactor_keep(reactor, socket_duplicate(fd));
	if (copy < 0)
		return copy;
	stream = stream_new(reactor, copy, kind.type, &peer);
	return stream ? stream_begin(stream, true, factory) : -ENOMEM;
}
