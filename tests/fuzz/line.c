#include "line.h"

#include "fuzz_verdict.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static unsigned char buffer[LINE_MAX_BYTES];

static struct line *from_reader(struct adopt_protocol *protocol)
{
	return (struct line *)((char *)protocol - offsetof(struct line, reader));
}

static struct line *from_looker(struct adopt_protocol *protocol)
{
	return (struct line *)((char *)protocol - offsetof(struct line, looker));
}

/* A prime number of bytes, so that no power of two repeats it. */
static unsigned char pattern(const struct pen *pen, uint64_t at)
{
	return (unsigned char)((at + pen->origin * 23U) % 251);
}

static void fill(const struct pen *pen, size_t length)
{
	for (size_t i = 0; i < length; i++)
		buffer[i] = pattern(pen, pen->written + i);
}

static void require_pattern(const struct pen *pen, uint64_t at, const unsigned char *data,
			    size_t length)
{
	FUZZ_REQUIRE(at + length <= pen->written);
	for (size_t i = 0; i < length; i++)
		FUZZ_REQUIRE(data[i] == pattern(pen, at + i));
}

static bool may_write(const struct line *line, const struct pen *pen, size_t length)
{
	return length > 0 && length <= LINE_MAX_BYTES &&
	       (!line->records || pen->record_count < LINE_RECORDS);
}

static void has_written(struct line *line, struct pen *pen, size_t length)
{
	pen->written += length;
	if (line->records)
		pen->records[(pen->first_record + pen->record_count++) % LINE_RECORDS] = length;
}

/* What was written with a pen has been read, a record whole. */
static void has_read(const struct line *line, struct pen *pen, size_t length)
{
	if (!line->records)
		return;
	FUZZ_REQUIRE(pen->record_count > 0);
	FUZZ_REQUIRE(pen->records[pen->first_record] == length);
	pen->first_record = (pen->first_record + 1) % LINE_RECORDS;
	pen->record_count--;
}

static void meanwhile(struct line *line)
{
	line->inside++;
	line->meanwhile(line);
	line->inside--;
}

static void made(struct line *line, struct adopt_protocol *protocol)
{
	FUZZ_REQUIRE(!line->told && protocol->transport);
	if (!line->transport) {
		line->transport = protocol->transport;
		adopt_transport_attach(protocol->transport, &line->attachment);
	}
	FUZZ_REQUIRE(line->transport == protocol->transport);
	meanwhile(line);
}

static void reader_made(struct adopt_protocol *protocol)
{
	made(from_reader(protocol), protocol);
}

static void looker_made(struct adopt_protocol *protocol)
{
	made(from_looker(protocol), protocol);
}

static void received(struct adopt_protocol *protocol, const void *data, size_t length)
{
	struct line *line = from_reader(protocol);

	FUZZ_REQUIRE(!line->told && !line->closed && !line->aborted && !line->detached);
	FUZZ_REQUIRE(!line->joined && !line->paused && !line->heard_end && length > 0);
	require_pattern(&line->peer_pen, line->taken, data, length);
	line->taken += length;
	has_read(line, &line->peer_pen, length);
	meanwhile(line);
}

static void never_received(struct adopt_protocol *protocol, const void *data, size_t length)
{
	(void)protocol;
	(void)data;
	(void)length;
	FUZZ_REQUIRE(!"a protocol that peeks is given bytes");
}

static void heard_end(struct adopt_protocol *protocol)
{
	struct line *line = from_reader(protocol);

	FUZZ_REQUIRE(!line->told && !line->closed && !line->detached && !line->joined);
	FUZZ_REQUIRE(line->peer_shut && !line->heard_end);
	FUZZ_REQUIRE(line->taken == line->peer_pen.written);
	line->heard_end = true;
	meanwhile(line);
}

static void waiting(struct adopt_protocol *protocol)
{
	struct line *line = from_looker(protocol);
	static unsigned char seen[4096];
	bool ended = false;
	size_t length = 0;

	FUZZ_REQUIRE(!line->told && !line->closed && !line->detached && !line->joined);
	if (adopt_transport_peek(protocol->transport, seen, sizeof seen, &length, &ended) == 0) {
		require_pattern(&line->peer_pen, line->taken, seen, length);
		FUZZ_REQUIRE(!ended || line->peer_shut);
		line->seen = length;
	}
	meanwhile(line);
}

static void drained(struct adopt_protocol *protocol)
{
	struct line *line = from_reader(protocol);

	FUZZ_REQUIRE(!line->told && !line->closed && !line->detached && !line->joined);
	meanwhile(line);
}

static void lost(struct line *line, int error)
{
	FUZZ_REQUIRE(!line->told && !line->detached && !line->joined && line->inside == 0);
	FUZZ_REQUIRE(error <= 0);
	line->told = true;
}

static void reader_lost(struct adopt_protocol *protocol, int error)
{
	lost(from_reader(protocol), error);
}

static void looker_lost(struct adopt_protocol *protocol, int error)
{
	lost(from_looker(protocol), error);
}

static void ended(struct adopt_attachment *attachment, const struct adopt_end *end)
{
	struct line *line = (struct line *)((char *)attachment - offsetof(struct line, attachment));

	FUZZ_REQUIRE(!line->over);
	FUZZ_REQUIRE(line->told || line->joined || end->detached);
	FUZZ_REQUIRE(end->sent <= line->pen.written || line->source);
	line->over = true;
	line->transport = NULL;
}

static const struct adopt_protocol_ops reader_ops = {
	.connection_made = reader_made,
	.data_received = received,
	.read_closed = heard_end,
	.drained = drained,
	.connection_lost = reader_lost,
};

static const struct adopt_protocol_ops looker_ops = {
	.connection_made = looker_made,
	.data_received = never_received,
	.waiting = waiting,
	.connection_lost = looker_lost,
};

static struct adopt_protocol *build(struct adopt_factory *factory, const struct adopt_address *peer)
{
	struct line *line = (struct line *)factory;

	(void)peer;
	return line->refused ? NULL : &line->reader;
}

static const struct adopt_factory_ops factory_ops = {.build_protocol = build};

void line_begin(struct line *line, unsigned number, bool records)
{
	*line = (struct line){
		.factory = {.ops = &factory_ops},
		.reader = {.ops = &reader_ops},
		.looker = {.ops = &looker_ops},
		.attachment = {.ended = ended},
		.peer = -1,
		.records = records,
		.peer_pen = {.origin = (uint8_t)(2 * number)},
		.pen = {.origin = (uint8_t)(2 * number + 1)},
	};
}

void line_peer_write(struct line *line, size_t length)
{
	ssize_t sent;

	if (line->peer < 0 || line->peer_shut || !may_write(line, &line->peer_pen, length))
		return;
	fill(&line->peer_pen, length);
	sent = send(line->peer, buffer, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent > 0)
		has_written(line, &line->peer_pen, (size_t)sent);
}

void line_peer_read(struct line *line, size_t length)
{
	uint64_t own;
	ssize_t got;
	size_t part;

	if (line->peer < 0)
		return;
	got = recv(line->peer, buffer, line->records ? sizeof buffer : length, MSG_DONTWAIT);
	if (got <= 0)
		return;
	own = line->pen.written > line->arrived ? line->pen.written - line->arrived : 0;
	part = own < (uint64_t)got ? (size_t)own : (size_t)got;
	if (part > 0)
		require_pattern(&line->pen, line->arrived, buffer, part);
	if (part < (size_t)got) {
		FUZZ_REQUIRE(line->source && !line->detached);
		require_pattern(&line->source->peer_pen,
				line->source_written + line->arrived + part - line->pen.written,
				buffer + part, (size_t)got - part);
	}
	if (own > 0)
		has_read(line, &line->pen, (size_t)got);
	else
		has_read(line, &line->source->peer_pen, (size_t)got);
	line->arrived += (uint64_t)got;
}

void line_peer_shut(struct line *line)
{
	if (line->peer < 0)
		return;
	shutdown(line->peer, SHUT_WR);
	line->peer_shut = true;
}

void line_peer_close(struct line *line)
{
	if (line->peer >= 0)
		close(line->peer);
	line->peer = -1;
	line->peer_shut = true;
}

/* Tells whether the protocol has its transport still. */
static bool is_own(const struct line *line)
{
	return line->transport && !line->joined && !line->detached;
}

void line_write(struct line *line, size_t length)
{
	bool refuses = line->shut || line->closed || line->aborted;
	int result;

	if (!is_own(line) || !may_write(line, &line->pen, length))
		return;
	fill(&line->pen, length);
	result = adopt_transport_write(line->transport, buffer, length);
	FUZZ_REQUIRE(!refuses || result == -EPIPE);
	if (result >= 0)
		has_written(line, &line->pen, length);
	FUZZ_REQUIRE(result < 0 || adopt_transport_full(line->transport) == (result == 1));
}

void line_pause(struct line *line)
{
	if (!is_own(line))
		return;
	line->paused = true;
	adopt_transport_pause(line->transport);
}

void line_resume(struct line *line)
{
	if (!is_own(line))
		return;
	line->paused = false;
	adopt_transport_resume(line->transport);
}

void line_shut(struct line *line)
{
	if (!is_own(line))
		return;
	line->shut = true;
	adopt_transport_shutdown_write(line->transport);
}

void line_close(struct line *line)
{
	if (!is_own(line))
		return;
	line->closed = true;
	adopt_transport_close(line->transport);
}

void line_abort(struct line *line)
{
	if (!line->transport || line->detached)
		return;
	line->aborted = true;
	adopt_transport_abort(line->transport);
}

void line_detach(struct line *line)
{
	struct adopt_transport *transport = line->transport;
	int fd = -1, error;

	if (!is_own(line))
		return;
	line->detached = true;
	error = adopt_transport_detach(&transport, &fd);
	line->detached = error == 0;
	FUZZ_REQUIRE(error == 0 ? fd >= 0 && !transport : fd == -1 && transport);
	if (fd >= 0)
		close(fd);
}

void line_look_on(struct line *line)
{
	struct adopt_protocol *next = &line->reader;

	if (!is_own(line) || line->closed || line->aborted)
		return;
	if (line->reader.transport)
		next = &line->looker;
	line->seen = 0;
	adopt_transport_hand_to(line->transport, next);
}

void line_skip(struct line *line, size_t length)
{
	if (!is_own(line) || !line->looker.transport || length == 0 || length > line->seen)
		return;
	if (line->records)
		length = line->peer_pen.records[line->peer_pen.first_record];
	if (adopt_transport_skip(line->transport, length) < 0)
		return;
	line->taken += length;
	line->seen = 0;
	has_read(line, &line->peer_pen, length);
}

static void finished(void *context, const struct adopt_join_result *result)
{
	struct line *line = context;

	(void)result;
	FUZZ_REQUIRE(line->joined && !line->told);
	line->told = true;
}

static void becomes_joined(struct line *line, struct line *other)
{
	line->joined = true;
	line->source = other;
	line->source_written = other->taken;
}

void line_join(struct line *line, struct line *other)
{
	if (line == other || !is_own(line) || !is_own(other) || line->closed || other->closed ||
	    line->aborted || other->aborted || line->shut || other->shut || line->heard_end ||
	    other->heard_end)
		return;
	becomes_joined(line, other);
	becomes_joined(other, line);
	FUZZ_REQUIRE(adopt_join(line->transport, other->transport, 0, finished, line) == 0);
}

uint64_t line_progress(const struct line *line)
{
	return line->taken + line->arrived + line->told + line->over;
}

/* Nobody has cut it off: not one of its ends, nor who it is joined to. */
static bool is_whole(const struct line *line)
{
	return line->peer >= 0 && !line->aborted && !line->detached && !line->over;
}

void line_require_all(const struct line *line)
{
	const struct line *source = line->source;

	if (line->peer >= 0 && !line->aborted && !line->detached && !source)
		FUZZ_REQUIRE(line->arrived == line->pen.written);
	if (source && is_whole(line) && is_whole(source))
		FUZZ_REQUIRE(line->arrived ==
			     line->pen.written + source->peer_pen.written - line->source_written);
	if (!source && is_whole(line) && line->reader.transport && !line->closed)
		FUZZ_REQUIRE(line->taken == line->peer_pen.written);
}

void line_end(struct line *line)
{
	FUZZ_REQUIRE(!line->transport && line->inside == 0);
	line_peer_close(line);
}
