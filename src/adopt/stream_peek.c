/* A stream connection whose protocol looks at bytes and leaves them in the kernel. */
#include "socket.h"
#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

/* Where the backend reports the same bytes again and again, it is asked so often. */
#define LOOK_MS 20

#define SKIP_BYTES 4096

/* Has the loop tell of all that waits, or only of what is new. */
static void watch_edges(struct stream *stream, bool edge)
{
	if (edge == stream->edge)
		return;
	stream_unwatch(stream);
	stream_watch_how(stream, edge);
}

void stream_peek_prepare(struct stream *stream)
{
	if (stream->closing)
		return;
	if (stream->base.protocol->ops->waiting)
		stream->peeking = true;
	else
		stream_peek_end(stream);
}

void stream_peek_end(struct stream *stream)
{
	stream->peeking = false;
	watch_edges(stream, false);
	adopt_timer_free(&stream->timer);
	stream->looked = false;
}

static void look_again(void *context)
{
	struct stream *stream = context;

	stream->looked = false;
	stream_watch_read(stream);
}

/* Without edges, bytes that stay would be reported without end: not watching for a
 * moment bounds that. */
static void rest(struct stream *stream)
{
	int error = 0;

	if (!stream->timer)
		error = adopt_timer_new(stream->base.reactor, look_again, stream, &stream->timer);
	if (error < 0) {
		stream_lose(stream, error);
		return;
	}
	stream->looked = true;
	adopt_timer_start(stream->timer, LOOK_MS);
}

/* Only bytes that stay need edges: who decides at the first look has cost nothing more
 * than one who reads. */
void stream_peek_waiting(struct stream *stream)
{
	struct adopt_protocol *protocol = stream->base.protocol;

	protocol->ops->waiting(protocol);
	if (!stream->peeking || stream->lost || stream->detached)
		return;
	if (event_reactor(stream->base.reactor)->edges)
		watch_edges(stream, true);
	else
		rest(stream);
}

/* Behind bytes that wait, the end of file shows only here. */
static bool peer_has_ended(int fd)
{
#ifdef POLLRDHUP
	struct pollfd state = {.fd = fd, .events = POLLRDHUP};

	return poll(&state, 1, 0) == 1 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR));
#else
	(void)fd;
	return false;
#endif
}

int stream_peek(struct adopt_transport *transport, void *buffer, size_t size, size_t *ret_length,
		bool *ret_ended)
{
	struct stream *stream = (struct stream *)transport;
	bool ended = false;
	ssize_t length;

	if (stream->lost || stream->closing || stream->fd < 0)
		return -EPIPE;
	/* There may be no other event once all is there. Asked before the bytes, so that
	   none can come unseen between them and the end. */
	if (stream->edge || stream->peeked > 0)
		ended = peer_has_ended(stream->fd);
	do
		length = recv(stream->fd, buffer, size, MSG_PEEK);
	while (length < 0 && errno == EINTR);
	if (length < 0 && errno != EAGAIN) {
		int error = -errno;

		stream_lose(stream, error);
		return error;
	}
	if (length < 0)
		length = 0;
	else if (length == 0)
		ended = true;
	stream->peeked = (uint32_t)length;
	*ret_length = (size_t)length;
	*ret_ended = ended && (size_t)length < size;
	return 0;
}

int stream_skip(struct adopt_transport *transport, size_t length)
{
	struct stream *stream = (struct stream *)transport;
	unsigned char gone[SKIP_BYTES];

	if (stream->lost || stream->closing || stream->fd < 0)
		return -EPIPE;
	if (stream->base.records && length != stream->peeked)
		return -EINVAL;
	stream->peeked -= length < stream->peeked ? (uint32_t)length : stream->peeked;
	while (length > 0) {
		ssize_t got =
			recv(stream->fd, gone, length < sizeof gone ? length : sizeof gone, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN ? -EINVAL : -errno;
		if (got == 0)
			return -EINVAL;
		length -= (size_t)got;
	}
	return 0;
}
