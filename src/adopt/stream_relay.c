/* A joined stream whose bytes come in bulk: the kernel moves them on, uncopied. */
#include "stream.h"

#include <errno.h>

/* One read of so much says that bulk has begun, one move of less than this that it is
 * over. Below, copying costs less. */
#define BULK_BYTES (32 * 1024)
#define QUIET_BYTES (16 * 1024)

static struct stream *other_end(const struct stream *stream)
{
	return (struct stream *)stream->relay->to;
}

void stream_relay_to(struct adopt_transport *transport, struct relay *relay)
{
	((struct stream *)transport)->relay = relay;
}

void stream_relay_has_read(struct stream *stream, size_t length)
{
	stream->bulk = length >= BULK_BYTES;
}

bool stream_relays(const struct stream *stream)
{
	const struct stream *to;

	if (!stream->relay || !stream->bulk)
		return false;
	to = other_end(stream);
	return to && !to->lost && !to->write_shut && !to->backlog;
}

bool stream_relay(struct stream *stream)
{
	struct relay *relay = stream->relay;
	struct pipe *pipe = NULL;
	ssize_t length = pipe_fill(&event_reactor(stream->base.reactor)->pipes, stream->fd, &pipe);

	stream->bulk = length >= QUIET_BYTES;
	if (length > 0) {
		stream_idle_used(stream);
		stream->base.received += (uint64_t)length;
		relay->bytes += (uint64_t)length;
		if (!stream_write_pipe(other_end(stream), pipe, (size_t)length))
			adopt_transport_pause(&stream->base);
		return stream->bulk || stream->hung_up;
	}
	switch (length) {
	case -EAGAIN:
		return false;
	case -EOPNOTSUPP:
		relay->to = NULL;
		return true;
	case -ENOBUFS:
	case 0:
		return true;
	default:
		stream_lose(stream, (int)length);
		return false;
	}
}
