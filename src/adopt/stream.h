/* stream.h - the insides of a stream connection, for the files that it is made of */
#ifndef ADOPT_STREAM_H
#define ADOPT_STREAM_H

#include "event_reactor.h"
#include "output.h"

struct stream {
	struct adopt_transport base;
	LIST_ENTRY(stream) link;
	struct event readable;
	struct event writable;
	struct adopt_call finish;
	struct adopt_timer *patience; /* while closing: how long that may take */
	struct stream_idle *idle;     /* NULL where it may be idle for ever */
	struct relay *relay;          /* NULL where it is not joined */
	struct adopt_timer *look;     /* to look again where events have no edges */
	size_t peeked;                /* how many bytes waited at the last look */
	struct output output;
	int fd;    /* -1: taken out, and the transport goes on without */
	int error; /* with which it is lost, or writing failed */
	bool records;
	bool looked;  /* where events have no edges: not looking again for a moment */
	bool peeking; /* its protocol looks at bytes instead of being given them */
	bool edge;    /* the loop tells only of what is new */
	bool paused;
	bool read_closed; /* the peer's end of file has been read */
	bool write_shut;  /* no more writes are taken */
	bool write_ended; /* our end of file is out, or writing has failed */
	bool closing;
	bool lingering; /* closing, all sent: waits for the peer's end of file */
	bool lost;
	bool detached;
	bool busy; /* one of its events runs: who loses it leaves the rest to that */
};

/* Loses a stream: its protocol will be told. Harmless when lost already. */
void stream_lose(struct stream *stream, int error);

/* Loses it in order once both directions have ended. */
void stream_lose_if_over(struct stream *stream);

/* Has the loop watch for bytes, or not, as the state says. */
void stream_watch_read(struct stream *stream);

/* Has the loop watch for room to write, or not, as the state says. */
void stream_watch_write(struct stream *stream);

/* Writing came to an end by an error; reading may still bring what the peer sent
 * before. */
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

/* Has `readable` watched in the way that the stream's protocol needs. */
void stream_peek_prepare(struct stream *stream);

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

/* Libevent callbacks; the argument is the stream. */
void stream_on_readable(evutil_socket_t fd, short what, void *argument);
void stream_on_writable(evutil_socket_t fd, short what, void *argument);

/* What an event does first and last: in between the stream stays allocated. */
void stream_event_begins(struct stream *stream);
void stream_event_ends(struct stream *stream);

#endif
