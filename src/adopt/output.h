/* output.h - what a stream still has to send */
#ifndef ADOPT_OUTPUT_H
#define ADOPT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct evbuffer;
struct pipe;

/* An output queue: memory, or a pipe, is there only while bytes are, and never both.
 * Initialize with zeros, `records` told, or with a pipe and the length of what is in it. */
struct output {
	struct evbuffer *buffer; /* NULL while empty */
	struct pipe *pipe;       /* likewise, and given back then */
	size_t length;           /* bytes in it, those that keep records apart too */
	bool records;            /* keeps the limits of what was appended */
};

/* Appends a copy, unless a pipe is there. Returns 0 or -ENOMEM. */
int output_append(struct output *output, const void *data, size_t length);

/* Tells whether nothing is to be sent (a record may be of no bytes). */
bool output_is_empty(const struct output *output);

/* Throws everything away. */
void output_clear(struct output *output);

/*
 * Sends bytes on a socket at once.
 * Returns how many the kernel took, or a negative errno; never -EINTR.
 */
ssize_t output_send(int fd, const void *data, size_t length);

/*
 * Sends what the kernel takes now.
 * sent: raised by how many bytes that is.
 * Returns 0 when all of it or as much as fits is sent, else a negative errno.
 */
int output_flush(struct output *output, int fd, uint64_t *sent);

#endif
