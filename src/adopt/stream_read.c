/* A stream connection's reading. */
#include "socket.h"
#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* One wake-up reads so often at most, and then yields. */
#define READS_A_TURN 8

/* One read of who is joined, whose bulk the kernel moves: all of it may have to wait for a slow
 * peer, in memory. */
#define JOINED_READ_BYTES 65536

/* No record is longer than what a socket can be told to buffer; this is far above. */
#define RECORD_MAX_BYTES (16 * 1024 * 1024)

static ssize_t receive(int fd, void *buffer, size_t size, int flags)
{
	ssize_t length;

	do
		length = recv(fd, buffer, size, flags);
	while (length < 0 && errno == EINTR);
	return length < 0 ? -errno : length;
}

static void peer_ended(struct stream *stream)
{
	struct adopt_protocol *protocol = stream->base.protocol;

	/* A write has been told of a reset, which has cut off what came here. After an end of
	   file, it is told of a broken pipe. */
	if (stream->error < 0 && stream->error != -EPIPE) {
		stream_lose(stream, stream->error);
		return;
	}
	stream->read_closed = true;
	if (stream->closing) {
		if (stream->lingering)
			stream_lose(stream, 0);
		return;
	}
	if (protocol->ops->read_closed)
		protocol->ops->read_closed(protocol);
	else
		stream_close(stream);
	if (!stream->detached)
		stream_lose_if_over(stream);
}

bool stream_wants_bytes(const struct stream *stream)
{
	return !stream->lost && !stream->detached && !stream->read_closed && !stream->looked &&
	       (stream->lingering || (!stream->paused && !stream->closing));
}

/* What a read brings may have handed the stream to a protocol that only looks. */
static bool reads_on(const struct stream *stream)
{
	return stream_wants_bytes(stream) && !stream->peeking;
}

static void deliver(struct stream *stream, const void *data, size_t length)
{
	struct adopt_protocol *protocol = stream->base.protocol;

	stream_idle_used(stream);
	stream->base.received += length;
	if (!stream->closing)
		protocol->ops->data_received(protocol, data, length);
}

/* Returns whether there may be more. */
static bool read_once(struct stream *stream)
{
	struct event_reactor *reactor = event_reactor(stream->base.reactor);
	size_t size = stream->relay ? JOINED_READ_BYTES : READ_BUFFER_BYTES;
	ssize_t length = receive(stream->fd, reactor->read_buffer, size, 0);

	if (length > 0) {
		stream_relay_has_read(stream, (size_t)length);
		deliver(stream, reactor->read_buffer, (size_t)length);
	} else if (length == 0) {
		peer_ended(stream);
	} else if (length != -EAGAIN) {
		stream_lose(stream, (int)length);
	}
	/* A short read has emptied the socket, but for the end of file. */
	return length == (ssize_t)size || (length > 0 && stream->hung_up);
}

static void read_bytes(struct stream *stream)
{
	for (unsigned i = 0; i < READS_A_TURN && reads_on(stream); i++)
		if (!(stream_relays(stream) ? stream_relay(stream) : read_once(stream)))
			return;
}

/* A read of nothing is an empty record, or the end of file? The latter comes with
 * nothing behind it, and after the peer has shut down. */
static bool nothing_is_end(int fd)
{
#ifdef POLLRDHUP
	struct pollfd state = {.fd = fd, .events = POLLRDHUP};
	int waiting = 0;

	if (ioctl(fd, FIONREAD, &waiting) == 0 && waiting > 0)
		return false;
	return poll(&state, 1, 0) == 1 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR));
#else
	(void)fd;
	return true;
#endif
}

/* Reads one record into the reactor's buffer, or a larger one. Returns its length
 * or a negative errno. */
static ssize_t read_record(struct stream *stream, void **ret_data, void **ret_large)
{
	struct event_reactor *reactor = event_reactor(stream->base.reactor);
	ssize_t length = receive(stream->fd, NULL, 0, MSG_PEEK | MSG_TRUNC);
	void *buffer = reactor->read_buffer;

	if (length < 0)
		return length;
	if (length > RECORD_MAX_BYTES)
		return -EMSGSIZE;
	if (length > READ_BUFFER_BYTES) {
		buffer = *ret_large = malloc((size_t)length);
		if (!buffer)
			return -ENOMEM;
	}
	*ret_data = buffer;
	return receive(stream->fd, buffer,
		       length > READ_BUFFER_BYTES ? (size_t)length : READ_BUFFER_BYTES, 0);
}

static void read_records(struct stream *stream)
{
	for (unsigned i = 0; i < READS_A_TURN && reads_on(stream); i++) {
		void *data = NULL, *large = NULL;
		ssize_t length = read_record(stream, &data, &large);

		if (length == -EAGAIN)
			i = READS_A_TURN;
		else if (length < 0)
			stream_lose(stream, (int)length);
		else if (length == 0 && nothing_is_end(stream->fd))
			peer_ended(stream);
		else
			deliver(stream, data, (size_t)length);
		free(large);
	}
}

void stream_readable(struct stream *stream, short what)
{
	stream->eager = false;
	stream->hung_up = (what & EV_CLOSED) != 0;
	stream_event_begins(stream);
	stream->reading = true;
	if (stream->peeking)
		stream_peek_waiting(stream);
	/* Handed to a protocol that reads: the bytes are there. */
	if (stream->base.records)
		read_records(stream);
	else
		read_bytes(stream);
	stream->reading = false;
	stream_event_ends(stream);
}

void stream_on_readable(evutil_socket_t fd, short what, void *argument)
{
	struct stream *stream = argument;
	struct event_reactor *reactor = event_reactor(stream->base.reactor);

	(void)fd;
	event_reactor_enters(reactor);
	stream_readable(stream, what);
	event_reactor_leaves(reactor);
}
