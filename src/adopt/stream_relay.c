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
	if (stream->relay && stream->relay->to)
		stream->relay->bulk = length >= BULK_BYTES;
}

bool stream_relays(const struct stream *stream)
{
	const struct stream *to;

	if (!stream->relay || !stream->relay->bulk)
		return false;
	to = other_end(stream);
	return to && !to->lost && !to->write_shut && output_is_empty(&to->output);
}

static void send_on(struct stream *stream, struct stream *to)
{
	int error = output_flush(&to->output, to->fd, &to->base.sent);

	stream_idle_used(to);
	if (error < 0) {
		stream_write_failed(to, error);
	} else if (!output_is_empty(&to->output)) {
		to->base.drained_owed = true;
		adopt_transport_pause(&stream->base);
		stream_watch_write(to);
	}
}

bool stream_relay(struct stream *stream)
{
	struct relay *relay = stream->relay;
	struct stream *to = other_end(stream);
	ssize_t length =
		output_fill(&to->output, &event_reactor(stream->base.reactor)->pipes, stream->fd);

	relay->bulk = length >= QUIET_BYTES;
	if (length > 0) {
		stream_idle_used(stream);
		stream->base.received += (uint64_t)length;
		relay->bytes += (uint64_t)length;
		send_on(stream, to);
		return relay->bulk;
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
