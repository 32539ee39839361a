/* line.h - a stream connection of a reactor, of which every byte is known
 *
 * Who writes, a line's peer or its protocol, writes a pattern of its own; who reads knows
 * what must come. What a line does against adopt.h ends the process with a message. */
#ifndef FUZZ_LINE_H
#define FUZZ_LINE_H

#include "adopt/adopt.h"

#include <stddef.h>
#include <stdint.h>

/* As many records of one direction are on their way at most. */
#define LINE_RECORDS 32

/* No write and no read is larger. */
#define LINE_MAX_BYTES (128 * 1024)

/* One who writes. */
struct pen {
	uint8_t origin;               /* its own pattern's */
	uint64_t written;             /* bytes, all that were taken from it */
	size_t records[LINE_RECORDS]; /* their lengths, where records are kept */
	size_t first_record, record_count;
};

struct line {
	struct adopt_factory factory; /* of this one connection */
	struct adopt_protocol reader;
	struct adopt_protocol looker; /* peeks instead */
	struct adopt_attachment attachment;
	/* Called in the middle of each of the protocol's callbacks but the last. */
	void (*meanwhile)(struct line *line);
	struct adopt_transport *transport; /* NULL before the connection, and after */
	int peer;                          /* the other end, -1 when it is closed */
	bool records;                      /* SOCK_SEQPACKET */

	struct pen peer_pen;
	uint64_t taken;   /* of the peer's bytes, by the protocols */
	size_t seen;      /* bytes behind those, at the last look */
	bool peer_shut;   /* will send no more */
	struct pen pen;   /* the protocol's */
	uint64_t arrived; /* of the bytes for the peer */

	struct line *source;     /* whose peer's bytes come behind those of `pen`: a join's */
	uint64_t source_written; /* from where on */

	bool refused; /* the factory builds nothing */
	bool paused, shut, closed, aborted;
	bool detached, joined, heard_end;
	unsigned inside; /* so many of its callbacks */
	bool told;       /* that it is over */
	bool over;       /* likewise, the attachment */
};

/*
 * Prepares a line: it will be the next connection that its factory makes.
 * number: 0 to 9, different for each line.
 */
void line_begin(struct line *line, unsigned number, bool records);

/* What both ends do, as far as they can. Sizes are of one write or read. */
void line_peer_write(struct line *line, size_t length);
void line_peer_read(struct line *line, size_t length);
void line_peer_shut(struct line *line);
void line_peer_close(struct line *line);
void line_write(struct line *line, size_t length);
void line_pause(struct line *line);
void line_resume(struct line *line);
void line_shut(struct line *line);
void line_close(struct line *line);
void line_abort(struct line *line);
void line_detach(struct line *line);
void line_look_on(struct line *line); /* with the protocol that peeks, or again with the other */
void line_skip(struct line *line, size_t length); /* of what was seen */
void line_join(struct line *line, struct line *other);

/* Bytes that have gone anywhere at all: grows with what happens. */
uint64_t line_progress(const struct line *line);

/* Requires that all that was written has arrived, as far as nobody has cut it off. */
void line_require_all(const struct line *line);

/* Requires that a line is over, its reactor having been freed; closes the peer. */
void line_end(struct line *line);

#endif
