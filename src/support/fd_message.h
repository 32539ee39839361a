/*
 * fd_message.h - what one process tells another of the descriptors that it hands over
 *
 * Messages go over a UNIX stream socket. Each begins with a header of 16 bytes: `adFD`, the
 * version (2 bytes), the kind (2), how many bytes follow (4), and how many descriptors travel
 * with the header's first byte (4), all numbers in network order. Who hands over sends the
 * list, in as many messages as it takes, and its end; where it serves the descriptors still,
 * it waits for `ready`, and answers with `go`.
 *
 * This is about the bytes alone: fd_socket.h sends and receives them.
 */
#ifndef SUPPORT_FD_MESSAGE_H
#define SUPPORT_FD_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FD_MESSAGE_VERSION 1
#define FD_MESSAGE_HEADER_BYTES 16
#define FD_MESSAGE_BODY_MAX 65536
#define FD_MESSAGE_FDS_MAX 250 /* Linux lets 253 pass at once */

enum fd_message_kind {
	FD_MESSAGE_DESCRIPTORS = 1, /* some of the list: a record for each descriptor */
	FD_MESSAGE_END,             /* that was all; with who hands over. Its descriptors are
				     * sockets, at an end when an adoptd before that has ended */
	FD_MESSAGE_READY,           /* back: adopted, but nobody is accepted yet; with who it is */
	FD_MESSAGE_GO,              /* they are the receiver's now; without a body, so that who
				     * is short of memory can try again to receive it */
	FD_MESSAGE_START,           /* to who starts adoptd: with the socket to give to it */
	FD_MESSAGE_STARTED,         /* back: with its process, or a negative errno as that */
};

/* What a header says. */
struct fd_message_header {
	unsigned kind; /* an enum fd_message_kind, or what a later version has more */
	size_t body_bytes;
	size_t fd_count;
};

/* What is told of a descriptor. */
struct fd_message_record {
	const char *name;   /* that it was handed over with; for what was opened, `listen`'s text */
	const char *source; /* who handed it over at first */
	int number;         /* that it was handed over as; -1: none */
	bool opened;        /* an adoptd opened it for a `listen` address of its own */
};

/* What a process tells of itself. */
struct fd_message_sender {
	int64_t pid;
	bool stderr_taken; /* its standard error was one of the sockets */
};

/* A message that is put together. */
struct fd_message {
	unsigned char bytes[FD_MESSAGE_HEADER_BYTES + FD_MESSAGE_BODY_MAX];
	size_t length;
	int fds[FD_MESSAGE_FDS_MAX]; /* whoever's they were */
	size_t fd_count;
};

/* Begins a message, with an empty body. */
void fd_message_begin(struct fd_message *message, enum fd_message_kind kind);

/*
 * Adds a descriptor to a FD_MESSAGE_DESCRIPTORS.
 * fd: not duplicated; to stay open until the message has been sent.
 * Returns 0; -ENOBUFS where the message is full: send it, and begin another;
 * -ENAMETOOLONG where no message has room for its texts.
 */
int fd_message_add(struct fd_message *message, int fd, const struct fd_message_record *record);

/* Adds a descriptor of which there is nothing to tell, to a FD_MESSAGE_END or a
 * FD_MESSAGE_START. Returns 0 or -ENOBUFS. */
int fd_message_attach(struct fd_message *message, int fd);

/* Writes the body of a FD_MESSAGE_END, a FD_MESSAGE_READY or a FD_MESSAGE_STARTED. */
void fd_message_set_sender(struct fd_message *message, const struct fd_message_sender *end);

/* --- what has come: any bytes --- */

/*
 * Reads a header.
 * Returns 0; -EBADMSG where it is none, or tells of more than a message may have;
 * -EPROTONOSUPPORT where it is one of another version.
 */
int fd_message_read_header(const unsigned char bytes[FD_MESSAGE_HEADER_BYTES],
			   struct fd_message_header *ret);

/*
 * Reads the next record of a body.
 * at, left: what is to be read still; moved past the record.
 * ret: its texts lie in the body. Neither is missing, and a name is empty only for what was
 * opened.
 * Returns 0, or -EBADMSG with nothing moved.
 */
int fd_message_read_record(const unsigned char **at, size_t *left, struct fd_message_record *ret);

/* Reads the body of such a message. Returns 0 or -EBADMSG. */
int fd_message_read_sender(const unsigned char *body, size_t length, struct fd_message_sender *ret);

#endif
