/* event_reactor.h - the reactor on libevent, and what its parts ask of each other */
#ifndef ADOPT_EVENT_REACTOR_H
#define ADOPT_EVENT_REACTOR_H

#include "pipe_pool.h"
#include "private.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/queue.h>

/* One read. */
#define READ_BUFFER_BYTES 262144

/* How long something that failed for want of resources rests. */
#define REST_MS 100

struct datagram_batch;
struct event_port;
struct stream;

struct event_reactor {
	struct adopt_reactor base;
	struct event_base *events;
	struct event soon; /* runs the calls that wait */
	struct event woken;
	struct event run_due; /* where streams are due outside of an event */
	int wake_fds[2];
	int reserve_fd; /* given up to turn clients away when descriptors run out */
	int fd_end;     /* no descriptor from here on can be watched */
	bool edges;     /* the backend can tell of what is new alone */
	short hang_up;  /* EV_CLOSED where it can tell of an end of file behind bytes, or 0 */
	bool in_event;  /* one of the reactor's own */
	bool running;
	bool stopped;
	bool ending;   /* being freed: nothing new is adopted */
	size_t timers; /* that may run at the same time */
	size_t timer_room;
	struct pipe_pool pipes;
	LIST_HEAD(, stream) streams;
	STAILQ_HEAD(, stream) due;
	LIST_HEAD(, event_port) ports;
	LIST_HEAD(, stream) connecting;
	struct datagram_batch *datagrams; /* NULL until there is a port for them */
	unsigned char read_buffer[READ_BUFFER_BYTES];
};

/* The reactor's own struct, from its shared part. */
struct event_reactor *event_reactor(struct adopt_reactor *reactor);

/* Tells whether the backend can watch a descriptor: select() cannot watch one of FD_SETSIZE
 * or more. */
bool event_reactor_carries(const struct event_reactor *reactor, int fd);

/*
 * Keeps a new descriptor only if it can be watched.
 * fd: or a negative errno, from where it should have come.
 * Returns it; otherwise it is closed, and -EMFILE.
 */
int event_reactor_keep(const struct event_reactor *reactor, int fd);

/*
 * Reserves a place for a timer more: to start it takes no memory then. Where it could fail,
 * what the timer is for would be waited for in vain.
 * Returns 0 or -ENOMEM. Give it back with event_timers_release().
 */
int event_timers_reserve(struct event_reactor *reactor);
void event_timers_release(struct event_reactor *reactor);

/* Milliseconds as libevent wants them. */
struct timeval event_time(uint64_t ms);

/* Timers, watchers, signals (event_sources.c); as in struct adopt_reactor_ops. */
int event_timer_new(struct adopt_reactor *reactor, struct adopt_timer **ret);
void event_timer_start(struct adopt_timer *timer, uint64_t delay_ms);
void event_timer_stop(struct adopt_timer *timer);
void event_timer_free(struct adopt_timer *timer);
int event_reader_add(struct adopt_reactor *reactor, struct adopt_watcher *watcher);
void event_reader_remove(struct adopt_reactor *reactor, struct adopt_watcher *watcher);
int event_writer_add(struct adopt_reactor *reactor, struct adopt_watcher *watcher);
void event_writer_remove(struct adopt_reactor *reactor, struct adopt_watcher *watcher);
int event_signal_new(struct adopt_reactor *reactor, int number, struct adopt_signal **ret);
void event_signal_free(struct adopt_signal *signal);

/*
 * An event of the reactor's begins, and ends, with which the streams that are due run
 * (stream_due.c). In between they run as well where run_due is called: nothing of a stream
 * that the caller holds is sure to be there afterwards.
 */
void event_reactor_enters(struct event_reactor *reactor);
void event_reactor_leaves(struct event_reactor *reactor);
void event_reactor_run_due(struct event_reactor *reactor);

/* Libevent's callback of `run_due`; the argument is the reactor. */
void event_reactor_on_due(evutil_socket_t fd, short what, void *argument);

/* Ports, connections, connectors; as in struct adopt_reactor_ops. */
int event_stream_port(struct adopt_reactor *reactor, int fd, int family,
		      struct adopt_factory *factory, struct adopt_port **ret);
int event_stream_connection(struct adopt_reactor *reactor, int fd, int family,
			    struct adopt_factory *factory);
int event_datagram_port(struct adopt_reactor *reactor, int fd, int family,
			struct adopt_datagram_protocol *protocol, size_t max_packet_size,
			struct adopt_port **ret);
int event_watched_port(struct adopt_reactor *reactor, int fd, int family,
		       struct adopt_lookout *lookout, struct adopt_port **ret);
int event_connect_stream(struct adopt_reactor *reactor, const struct adopt_address *address,
			 int type, uint64_t timeout_ms, struct adopt_factory *factory,
			 struct adopt_connector **ret);

/* End one at once and tell whom it concerns, when the reactor is freed. */
void stream_connect_end(struct stream *stream);
void stream_end(struct stream *stream);

/*
 * Makes a stream of a descriptor, of which nobody knows yet.
 * fd: taken over, also on failure.
 * type: SOCK_STREAM or SOCK_SEQPACKET.
 * Returns the stream, to be begun or dropped, or NULL without memory.
 */
struct stream *stream_new(struct event_reactor *reactor, int fd, int type,
			  const struct adopt_address *peer);

/* Closes and frees a stream that has not begun. */
void stream_drop(struct stream *stream);

/*
 * Begins a stream that is connected.
 * stream: taken over, also on failure.
 * eager: bytes probably wait already.
 * Returns 0, or -ECONNABORTED if the factory built nothing.
 */
int stream_begin(struct stream *stream, bool eager, struct adopt_factory *factory);

#endif
