/* stream.h - the insides of a stream connection, for the files that it is made of */
#ifndef ADOPT_STREAM_H
#define ADOPT_STREAM_H

#include "event_reactor.h"
#include "output.h"

struct backlog;

struct stream {
	struct adopt_transport base;
	LIST_ENTRY(stream) link;
	STAILQ_ENTRY(stream) due_link;
	struct event readable;     /* while connecting: tells of that */
	struct adopt_timer *timer; /* closing: how long that may take; peeking: when to look */
	union {
		struct stream_idle *idle;      /* NULL where it may be idle for ever */
		struct adopt_factory *factory; /* while connecting */
	};
	union {
		struct relay *relay;              /* NULL where it is not joined */
		struct adopt_connector connector; /* while connecting */
	};
	struct backlog *backlog; /* NULL while nothing waits to be sent */
	int fd;                  /* -1: taken out, and the transport goes on without */
	int error;               /* with which it is lost, or connecting or writing failed */
	uint32_t peeked;         /* how many bytes waited at the last look */
	bool connecting : 1;     /* not yet a connection, and nothing else of it is set */
	bool due : 1;            /* runs soon */
	bool watched : 1;        /* the loop has `readable` */
	bool eager : 1;          /* bytes probably wait: reading is tried before the loop watches */
	bool reading : 1;        /* what comes is on its way to the protocol */
	bool hung_up : 1;        /* the end of file is behind what waits */
	bool bulk : 1;           /* much comes at a time */
	bool delays : 1;         /* TCP may hold back what is small */
	bool looked : 1;         /* where events have no edges: not looking again for a moment */
	bool peeking : 1;        /* its protocol looks at bytes instead of being given them */
	bool edge : 1;           /* the loop tells only of what is new */
	bool paused : 1;
	bool read_closed : 1; /* the peer's end of file has been read */
	bool write_shut : 1;  /* no more writes are taken */
	bool write_ended : 1; /* our end of file is out, or writing has failed */
	bool closing : 1;
	bool lingering : 1; /* closing, all sent: waits for the peer's end of file */
	bool lost : 1;
	bool detached : 1;
	bool busy : 1; /* one of its events runs: who loses it leaves the rest to that */
};

/* Loses a stream: its protocol will be told. Harmless when lost already. */
void stream_lose(struct stream *stream, int error);

/* Ends a stream that is lost, outside of its own events, and tells its protocol. */
void stream_finish(struct stream *stream);

/* Loses it in order once both directions have ended. */
void stream_lose_if_over(struct stream *stream);

/* Has the loop watch for bytes, or not, as the state says; an eager stream looks first. */
void stream_watch_read(struct stream *stream);

/* Has a stream run once what runs now has returned (stream_due.c): it is connected, ended
 * where it is lost, or else read. Or has it not. */
void stream_run_soon(struct stream *stream);
void stream_run_not(struct stream *stream);

/* Reads, or has its protocol look. what: the event, or 0. */
void stream_readable(struct stream *stream, short what);

/* stream->error tells how connecting has ended: tells the factory (connect.c). */
void stream_connected(struct stream *stream);

/* Has the loop forget `readable`, and says how it is to be watched next. */
void stream_unwatch(struct stream *stream);
void stream_watch_how(struct stream *stream, bool edge);

/* Writing (stream_write.c): as in struct adopt_transport_ops. */
int stream_write(struct adopt_transport *transport, const void *data, size_t length);
size_t stream_queued(const struct adopt_transport *transport);

/*
 * Writes what is in a pipe, where nothing waits to be sent.
 * pipe: taken over. length: of what is in it.
 * Returns whether there is room for more; else drained() will follow.
 */
bool stream_write_pipe(struct stream *stream, struct pipe *pipe, size_t length);

/* Throws away what waits to be sent. */
void stream_backlog_end(struct stream *stream);

/* Writing came to an end by an error; reading may still bring what the peer sent
 * before. Where it was a shortage of memory, the connection is lost. */
void stream_write_failed(struct stream *stream, int error);

/* All that was queued has been sent: what waited for that happens. */
void stream_flushed(struct stream *stream);

/* Begins to close: see adopt_transport_close(). */
void stream_close(struct stream *stream);

/* Tells whether the protocol is to be given bytes now. */
bool stream_wants_bytes(const struct stream *stream);

/* Peeking (stream_peek.c): as in struct adopt_transport_ops. */
int stream_peek(struct adopt_transport *transport, void *buffer, size_t size, size_t *ret_length,
		bool *ret_ended);
int stream_skip(struct adopt_transport *transport, size_t length);

/* Has `readable` watched in the way that the stream's protocol needs, or that reading
 * needs. */
void stream_peek_prepare(struct stream *stream);
void stream_peek_end(struct stream *stream);

/* Bytes wait: tells a protocol that peeks. */
void stream_peek_waiting(struct stream *stream);

/* Relaying (stream_relay.c): as in struct adopt_transport_ops. */
void stream_relay_to(struct adopt_transport *transport, struct relay *relay);

/* One read of so many bytes has been made: bulk, or not. */
void stream_relay_has_read(struct stream *stream, size_t length);

/* Tells whether to relay now instead of reading. */
bool stream_relays(const struct stream *stream);

/* Moves what waits on to the stream that this one is joined to. Returns whether there may
 * be more, to be relayed or read as stream_relays() says then. */
bool stream_relay(struct stream *stream);

/* Idle timeout (stream_idle.c): as in struct adopt_transport_ops, then what an event
 * and the end of a stream do about it. */
int stream_set_idle_timeout(struct adopt_transport *transport, uint64_t timeout_ms);
uint64_t stream_idle_timeout(const struct adopt_transport *transport);
void stream_idle_used(struct stream *stream);
void stream_idle_free(struct stream *stream);

/* Libevent's callback; the argument is the stream. */
void stream_on_readable(evutil_socket_t fd, short what, void *argument);

/* What an event does first and last: in between the stream stays allocated. */
void stream_event_begins(struct stream *stream);
void stream_event_ends(struct stream *stream);

#endif
