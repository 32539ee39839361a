#include "fd_message.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static const unsigned char magic[4] = {'a', 'd', 'F', 'D'};

/*
 * A record is its length (2 bytes, without these two), flags (1), the number (4), name and
 * source, each with a closing NUL. A later version may have more after that.
 */
#define RECORD_LENGTH_BYTES 2
#define RECORD_FIXED_BYTES 5
#define RECORD_MAX (FD_MESSAGE_BODY_MAX - RECORD_LENGTH_BYTES)
#define RECORD_OPENED 1

/* A sender is flags (1 byte), the process (8). More may follow. */
#define SENDER_BYTES 9
#define SENDER_STDERR_TAKEN 1

static void put(unsigned char *to, uint64_t value, size_t bytes)
{
	while (bytes-- > 0) {
		to[bytes] = (unsigned char)value;
		value >>= 8;
	}
}

static uint64_t get(const unsigned char *from, size_t bytes)
{
	uint64_t value = 0;

	while (bytes-- > 0)
		value = value << 8 | *from++;
	return value;
}

/* --- writing --- */

/* The header says how much there is by now. */
static void count(struct fd_message *message)
{
	put(message->bytes + 8, message->length - FD_MESSAGE_HEADER_BYTES, 4);
	put(message->bytes + 12, message->fd_count, 4);
}

void fd_message_begin(struct fd_message *message, enum fd_message_kind kind)
{
	memcpy(message->bytes, magic, sizeof magic);
	put(message->bytes + 4, FD_MESSAGE_VERSION, 2);
	put(message->bytes + 6, kind, 2);
	message->length = FD_MESSAGE_HEADER_BYTES;
	message->fd_count = 0;
	count(message);
}

int fd_message_add(struct fd_message *message, int fd, const struct fd_message_record *record)
{
	size_t name_bytes = strlen(record->name) + 1, source_bytes = strlen(record->source) + 1;
	size_t length = RECORD_FIXED_BYTES + name_bytes + source_bytes;
	unsigned char *to = message->bytes + message->length;

	if (name_bytes > RECORD_MAX || source_bytes > RECORD_MAX || length > RECORD_MAX)
		return -ENAMETOOLONG;
	if (message->fd_count == FD_MESSAGE_FDS_MAX ||
	    RECORD_LENGTH_BYTES + length > sizeof message->bytes - message->length)
		return -ENOBUFS;
	put(to, length, 2);
	put(to + 2, record->opened ? RECORD_OPENED : 0, 1);
	put(to + 3, (uint32_t)record->number, 4);
	memcpy(to + 7, record->name, name_bytes);
	memcpy(to + 7 + name_bytes, record->source, source_bytes);
	message->length += RECORD_LENGTH_BYTES + length;
	message->fds[message->fd_count++] = fd;
	count(message);
	return 0;
}

int fd_message_attach(struct fd_message *message, int fd)
{
	if (message->fd_count == FD_MESSAGE_FDS_MAX)
		return -ENOBUFS;
	message->fds[message->fd_count++] = fd;
	count(message);
	return 0;
}

void fd_message_set_sender(struct fd_message *message, const struct fd_message_sender *sender)
{
	unsigned char *body = message->bytes + FD_MESSAGE_HEADER_BYTES;

	put(body, sender->stderr_taken ? SENDER_STDERR_TAKEN : 0, 1);
	put(body + 1, (uint64_t)sender->pid, 8);
	message->length = FD_MESSAGE_HEADER_BYTES + SENDER_BYTES;
	count(message);
}

/* --- reading --- */

int fd_message_read_header(const unsigned char bytes[FD_MESSAGE_HEADER_BYTES],
			   struct fd_message_header *ret)
{
	struct fd_message_header header = {
		.kind = (unsigned)get(bytes + 6, 2),
		.body_bytes = (size_t)get(bytes + 8, 4),
		.fd_count = (size_t)get(bytes + 12, 4),
	};

	if (memcmp(bytes, magic, sizeof magic) != 0)
		return -EBADMSG;
	if (get(bytes + 4, 2) != FD_MESSAGE_VERSION)
		return -EPROTONOSUPPORT;
	if (header.body_bytes > FD_MESSAGE_BODY_MAX || header.fd_count > FD_MESSAGE_FDS_MAX)
		return -EBADMSG;
	*ret = header;
	return 0;
}

/* Returns a text that begins here, and moves past its NUL; NULL where that is missing. */
static const char *read_text(const unsigned char **at, const unsigned char *end)
{
	const unsigned char *text = *at, *nul = memchr(text, '\0', (size_t)(end - text));

	if (nul)
		*at = nul + 1;
	return nul ? (const char *)text : NULL;
}

int fd_message_read_record(const unsigned char **at, size_t *left, struct fd_message_record *ret)
{
	const unsigned char *from = *at, *end;
	struct fd_message_record record;
	uint32_t number;
	size_t length;

	if (*left < RECORD_LENGTH_BYTES)
		return -EBADMSG;
	length = (size_t)get(from, 2);
	if (length > *left - RECORD_LENGTH_BYTES || length < RECORD_FIXED_BYTES)
		return -EBADMSG;
	end = from + RECORD_LENGTH_BYTES + length;
	record.opened = from[2] & RECORD_OPENED;
	number = (uint32_t)get(from + 3, 4);
	if (number > INT_MAX && number != (uint32_t)-1)
		return -EBADMSG;
	record.number = number > INT_MAX ? -1 : (int)number;
	from += RECORD_LENGTH_BYTES + RECORD_FIXED_BYTES;
	record.name = read_text(&from, end);
	record.source = record.name ? read_text(&from, end) : NULL;
	if (!record.source || (!record.opened && (!*record.name || record.number < 0)))
		return -EBADMSG;
	*left -= (size_t)(end - *at);
	*at = end;
	*ret = record;
	return 0;
}

int fd_message_read_sender(const unsigned char *body, size_t length, struct fd_message_sender *ret)
{
	if (length < SENDER_BYTES)
		return -EBADMSG;
	*ret = (struct fd_message_sender){
		.stderr_taken = body[0] & SENDER_STDERR_TAKEN,
		.pid = (int64_t)get(body + 1, 8),
	};
	return 0;
}
