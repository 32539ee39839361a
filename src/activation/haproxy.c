#include "haproxy.h"

#include "support/fd_socket.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

/* More are nobody's: what came is the text of an error. */
#define SOCKETS_MAX 100000

/* The longest record, and as many of them as may come at once. */
#define RECORD_MAX (1 + 255 + 1 + 255 + 4)
#define OPTIONS_BYTES 4
#define BATCH_BYTES (FD_SOCKET_FDS_MAX * RECORD_MAX)

/* What is being heard. */
struct hearing {
	int fd;
	uint64_t until_ms;
	unsigned char *bytes; /* of the present batch, BATCH_BYTES of room */
	size_t length;
	struct fd_received received; /* its descriptors */
	struct haproxy_sockets sockets;
};

static int say(int fd, const void *bytes, size_t length)
{
	ssize_t sent;

	do
		sent = send(fd, bytes, length, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	return (size_t)sent == length ? 0 : -EBADMSG;
}

/* Reads what comes next, behind what the batch has, no more than so much. */
static int hear(struct hearing *hearing, size_t most)
{
	ssize_t length = fd_socket_read(hearing->fd, hearing->bytes + hearing->length, most,
					fd_socket_left(hearing->until_ms), &hearing->received);

	if (length <= 0)
		return length < 0 ? (int)length : -ECONNRESET;
	hearing->length += (size_t)length;
	return 0;
}

static int hear_count(struct hearing *hearing, size_t *ret)
{
	int count, error = 0;

	while (error == 0 && hearing->length < sizeof count)
		error = hear(hearing, sizeof count - hearing->length);
	if (error < 0)
		return error;
	memcpy(&count, hearing->bytes, sizeof count);
	if (hearing->received.fd_count > 0 || count < 0 || count > SOCKETS_MAX)
		return -EBADMSG;
	*ret = (size_t)count;
	return 0;
}

/* Returns the length of the record that begins here; 0 where there is more of it to come. */
static size_t measure(const unsigned char *bytes, size_t length)
{
	size_t at = 0;

	for (int text = 0; text < 2; text++) {
		if (at >= length)
			return 0;
		at += 1 + (size_t)bytes[at];
	}
	at += OPTIONS_BYTES;
	return at <= length ? at : 0;
}

/* Tells whether there is a record for each descriptor. */
static int is_whole(const struct hearing *hearing, bool *ret)
{
	size_t at = 0, records = 0, length;

	while ((length = measure(hearing->bytes + at, hearing->length - at)) > 0) {
		at += length;
		records++;
	}
	*ret = records == hearing->received.fd_count && at == hearing->length;
	return records > hearing->received.fd_count || (*ret && records == 0) ? -EBADMSG : 0;
}

static int hear_batch(struct hearing *hearing)
{
	bool whole = false;
	int error = 0;

	hearing->length = 0;
	while (error == 0 && !whole) {
		if (hearing->length == BATCH_BYTES)
			return -EBADMSG;
		error = hear(hearing, BATCH_BYTES - hearing->length);
		if (error == 0)
			error = is_whole(hearing, &whole);
	}
	return error;
}

/* Moves the batch's descriptors to those that were heard of before. */
static int keep_batch(struct hearing *hearing, size_t most)
{
	struct haproxy_sockets *sockets = &hearing->sockets;
	size_t count = hearing->received.fd_count;
	int *fds;

	if (count > most - sockets->count)
		return -EBADMSG;
	fds = realloc(sockets->fds, (sockets->count + count) * sizeof *fds);
	if (!fds)
		return -ENOMEM;
	sockets->fds = fds;
	memcpy(fds + sockets->count, hearing->received.fds, count * sizeof *fds);
	sockets->count += count;
	hearing->received.fd_count = 0;
	return 0;
}

static int hear_all(struct hearing *hearing)
{
	size_t count = SIZE_MAX;
	int error = hear_count(hearing, &count);

	while (error == 0 && hearing->sockets.count < count) {
		int heard;

		error = hear_batch(hearing);
		if (error == 0)
			error = keep_batch(hearing, count);
		heard = (int)hearing->sockets.count;
		if (error == 0)
			error = say(hearing->fd, &heard, sizeof heard);
	}
	/* It may have gone by the last word: it has nothing more to send. */
	return error == -EPIPE && hearing->sockets.count == count ? 0 : error;
}

int haproxy_ask(int fd, uint64_t timeout_ms, struct haproxy_sockets *ret)
{
	static const char question[] = "_getsocks\n";
	struct hearing hearing = {
		.fd = fd,
		.until_ms = fd_socket_until(timeout_ms),
		.bytes = malloc(BATCH_BYTES),
	};
	int error = hearing.bytes ? say(fd, question, strlen(question)) : -ENOMEM;

	if (error == 0)
		error = hear_all(&hearing);
	fd_received_done(&hearing.received);
	free(hearing.bytes);
	if (error < 0)
		haproxy_sockets_done(&hearing.sockets);
	else
		*ret = hearing.sockets;
	return error;
}

void haproxy_sockets_done(struct haproxy_sockets *sockets)
{
	for (size_t i = 0; i < sockets->count; i++)
		if (sockets->fds[i] >= 0)
			close(sockets->fds[i]);
	free(sockets->fds);
	*sockets = (struct haproxy_sockets){0};
}
