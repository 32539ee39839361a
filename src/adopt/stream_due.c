/* Streams that are to run once what runs now has returned. That is most often an event of
 * the reactor, at whose end they run at once: the loop would take a call to the system and
 * some more to come to them. */
#include "stream.h"

/* One turn runs so many at most, and then lets the loop look at others. */
#define DUE_A_TURN 256

static const struct timeval at_once = {0};

void stream_run_soon(struct stream *stream)
{
	struct event_reactor *reactor = event_reactor(stream->base.reactor);

	if (stream->due)
		return;
	if (!reactor->in_event && STAILQ_EMPTY(&reactor->due))
		event_add(&reactor->run_due, &at_once);
	STAILQ_INSERT_TAIL(&reactor->due, stream, due_link);
	stream->due = true;
}

void stream_run_not(struct stream *stream)
{
	if (stream->due)
		STAILQ_REMOVE(&event_reactor(stream->base.reactor)->due, stream, stream, due_link);
	stream->due = false;
}

static void run(struct stream *stream)
{
	if (stream->connecting)
		stream_connected(stream);
	else if (stream->lost)
		stream_finish(stream);
	else
		stream_readable(stream, 0);
}

void event_reactor_run_due(struct event_reactor *reactor)
{
	struct stream *stream;

	for (unsigned i = 0; i < DUE_A_TURN && (stream = STAILQ_FIRST(&reactor->due)); i++) {
		STAILQ_REMOVE_HEAD(&reactor->due, due_link);
		stream->due = false;
		run(stream);
	}
}

void event_reactor_enters(struct event_reactor *reactor)
{
	reactor->in_event = true;
}

void event_reactor_leaves(struct event_reactor *reactor)
{
	event_reactor_run_due(reactor);
	reactor->in_event = false;
	if (!STAILQ_EMPTY(&reactor->due))
		event_add(&reactor->run_due, &at_once);
}

void event_reactor_on_due(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	event_reactor_enters(argument);
	event_reactor_leaves(argument);
}
