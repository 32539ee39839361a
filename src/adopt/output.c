#include "output.h"
#include "pipe_pool.h"
#include "socket.h"

#include <errno.h>
#include <event2/buffer.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define FLUSH_VECTORS 16

int output_append(struct output *output, const void *data, size_t length)
{
	struct evbuffer *buffer = output->buffer ? output->buffer : evbuffer_new();
	int error = -ENOMEM;

	if (!buffer)
		return error;
	if (evbuffer_expand(buffer, length + sizeof length) < 0)
		goto out;
	/* Room has been made: neither of these can fail. */
	if (output->records)
		evbuffer_add(buffer, &length, sizeof length);
	evbuffer_add(buffer, data, length);
	output->buffer = buffer;
	output->length = evbuffer_get_length(buffer);
	return 0;
out:
	if (!output->buffer)
		evbuffer_free(buffer);
	return error;
}

bool output_is_empty(const struct output *output)
{
	return !output->buffer && !output->pipe;
}

void output_clear(struct output *output)
{
	if (output->buffer)
		evbuffer_free(output->buffer);
	output->buffer = NULL;
	pipe_give(&output->pipe);
	output->length = 0;
}

ssize_t output_send(int fd, const void *data, size_t length)
{
	ssize_t sent;

	do
		sent = send(fd, data, length, socket_send_flags());
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}

static ssize_t send_vectors(int fd, struct evbuffer *buffer)
{
	struct evbuffer_iovec pieces[FLUSH_VECTORS];
	struct iovec vectors[FLUSH_VECTORS];
	struct msghdr message = {.msg_iov = vectors};
	int count = evbuffer_peek(buffer, -1, NULL, pieces, FLUSH_VECTORS);
	ssize_t sent;

	if (count > FLUSH_VECTORS)
		count = FLUSH_VECTORS;
	for (int i = 0; i < count; i++)
		vectors[i] = (struct iovec){pieces[i].iov_base, pieces[i].iov_len};
	message.msg_iovlen = (size_t)count;
	do
		sent = sendmsg(fd, &message, socket_send_flags());
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}

static ssize_t send_bytes(struct output *output, int fd)
{
	ssize_t sent;

	if (output->pipe)
		return pipe_send(output->pipe, fd);
	sent = send_vectors(fd, output->buffer);
	if (sent > 0)
		evbuffer_drain(output->buffer, (size_t)sent);
	return sent;
}

static int flush_bytes(struct output *output, int fd, uint64_t *total)
{
	while (output->length > 0) {
		ssize_t sent = send_bytes(output, fd);

		if (sent < 0)
			return sent == -EAGAIN ? 0 : (int)sent;
		*total += (uint64_t)sent;
		output->length -= (size_t)sent;
	}
	output_clear(output);
	return 0;
}

static int flush_records(struct output *output, int fd, uint64_t *total)
{
	size_t length;

	while (evbuffer_copyout(output->buffer, &length, sizeof length) == sizeof length) {
		unsigned char *record =
			evbuffer_pullup(output->buffer, (ev_ssize_t)(sizeof length + length));
		ssize_t sent;

		if (!record)
			return -ENOMEM;
		sent = output_send(fd, record + sizeof length, length);
		if (sent < 0)
			return sent == -EAGAIN ? 0 : (int)sent;
		evbuffer_drain(output->buffer, sizeof length + length);
		*total += length;
		output->length = evbuffer_get_length(output->buffer);
	}
	output_clear(output);
	return 0;
}

int output_flush(struct output *output, int fd, uint64_t *sent)
{
	if (output_is_empty(output))
		return 0;
	return output->records ? flush_records(output, fd, sent) : flush_bytes(output, fd, sent);
}
