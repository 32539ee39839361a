/* private.h - what the implementations of reactors, transports and ports share */
#ifndef ADOPT_PRIVATE_H
#define ADOPT_PRIVATE_H

#include "adopt.h"
#include "kept_address.h"

#include <pthread.h>

/* One reactor's way of doing what adopt.h promises; each entry as documented
 * there. interface.c has judged the address family before it calls. */
struct adopt_reactor_ops {
	void (*free)(struct adopt_reactor *reactor);
	int (*run)(struct adopt_reactor *reactor);
	void (*stop)(struct adopt_reactor *reactor);
	uint64_t (*now_ms)(const struct adopt_reactor *reactor);

	/* Calls wait: have adopt_calls_run() called on the next turn. */
	void (*wake)(struct adopt_reactor *reactor);
	/* Calls from other threads wait; called in such a thread. */
	void (*wake_from_thread)(struct adopt_reactor *reactor);

	int (*timer_new)(struct adopt_reactor *reactor, struct adopt_timer **ret);
	void (*timer_start)(struct adopt_timer *timer, uint64_t delay_ms);
	void (*timer_stop)(struct adopt_timer *timer);
	void (*timer_free)(struct adopt_timer *timer);

	int (*reader_add)(struct adopt_reactor *reactor, struct adopt_watcher *watcher);
	void (*reader_remove)(struct adopt_reactor *reactor, struct adopt_watcher *watcher);
	int (*writer_add)(struct adopt_reactor *reactor, struct adopt_watcher *watcher);
	void (*writer_remove)(struct adopt_reactor *reactor, struct adopt_watcher *watcher);

	int (*signal_new)(struct adopt_reactor *reactor, int number, struct adopt_signal **ret);
	void (*signal_free)(struct adopt_signal *signal);

	int (*stream_port)(struct adopt_reactor *reactor, int fd, int family,
			   struct adopt_factory *factory, struct adopt_port **ret);
	int (*stream_connection)(struct adopt_reactor *reactor, int fd, int family,
				 struct adopt_factory *factory);
	int (*datagram_port)(struct adopt_reactor *reactor, int fd, int family,
			     struct adopt_datagram_protocol *protocol, size_t max_packet_size,
			     struct adopt_port **ret);
	int (*watched_port)(struct adopt_reactor *reactor, int fd, int family,
			    struct adopt_lookout *lookout, struct adopt_port **ret);
	int (*connect_stream)(struct adopt_reactor *reactor, const struct adopt_address *address,
			      int type, uint64_t timeout_ms, struct adopt_factory *factory,
			      struct adopt_connector **ret);
};

/* Calls in the order in which they were asked for. */
struct call_queue {
	struct adopt_call *first;
	struct adopt_call **last; /* where the next one is hung in */
};

/* The part that every reactor has; first in each one's own struct. */
struct adopt_reactor {
	const struct adopt_reactor_ops *ops;
	struct adopt_observer *observer;
	size_t port_count;
	size_t connection_count;
	struct adopt_guest *guests;
	struct call_queue calls;        /* the loop's own thread */
	struct call_queue thread_calls; /* any thread's, under the lock */
	struct call_queue taken_calls;  /* those of them that run now, under the lock */
	pthread_mutex_t lock;
};

/* Initializes and ends the shared part. Returns 0 or -ENOMEM. */
int adopt_reactor_init(struct adopt_reactor *reactor, const struct adopt_reactor_ops *ops);
void adopt_reactor_done(struct adopt_reactor *reactor);

/* Asks all guests to leave, before what they have in the reactor becomes invalid. */
void adopt_guests_leave(struct adopt_reactor *reactor);

/* Runs the calls that wait now; ones that these ask for wait for the next turn. */
void adopt_calls_run(struct adopt_reactor *reactor);

/* Runs the calls of other threads that wait now. Returns whether there were any. */
bool adopt_calls_take(struct adopt_reactor *reactor);

/* Tells whether calls of the loop's own queue wait. */
bool adopt_calls_waiting(const struct adopt_reactor *reactor);

struct adopt_timer {
	struct adopt_reactor *reactor;
	void (*elapsed)(void *context);
	void *context;
};

struct adopt_signal {
	struct adopt_reactor *reactor;
	void (*received)(void *context);
	void *context;
};

/* One direction of a join, as the transport that is read from knows it. */
struct relay {
	struct adopt_transport *to; /* NULL: its protocol passes all on */
	uint64_t bytes;             /* that have gone on, either way */
};

struct adopt_transport_ops {
	int (*write)(struct adopt_transport *transport, const void *data, size_t length);
	size_t (*queued)(const struct adopt_transport *transport);
	void (*pause)(struct adopt_transport *transport);
	void (*resume)(struct adopt_transport *transport);
	void (*shutdown_write)(struct adopt_transport *transport);
	void (*close)(struct adopt_transport *transport);
	void (*abort)(struct adopt_transport *transport);
	int (*detach)(struct adopt_transport *transport, int *ret);
	int (*take_descriptor)(struct adopt_transport *transport, int *ret); /* NULL: has none */
	int (*local)(struct adopt_transport *transport, struct adopt_address *ret);
	int (*peek)(struct adopt_transport *transport, void *buffer, size_t size,
		    size_t *ret_length, bool *ret_ended);
	int (*skip)(struct adopt_transport *transport, size_t length);
	int (*set_idle_timeout)(struct adopt_transport *transport, uint64_t timeout_ms);
	uint64_t (*idle_timeout)(const struct adopt_transport *transport);
	int (*descriptor)(const struct adopt_transport *transport); /* NULL: has none */
	void (*hand_to)(struct adopt_transport *transport, struct adopt_protocol *protocol);
	/* What is read in bulk may go on to relay->to, which is of the same kind, without the
	   protocol, which is as if it had written it there. relay: stays until the transport
	   is lost. NULL: cannot. */
	void (*relay)(struct adopt_transport *transport, struct relay *relay);
};

/* First in each transport's own struct. */
struct adopt_transport {
	const struct adopt_transport_ops *ops;
	struct adopt_reactor *reactor;
	struct adopt_protocol *protocol;
	struct adopt_attachment *attachments;
	const char *note;
	uint64_t received; /* as in adopt_transport_bytes() */
	uint64_t sent;
	struct kept_address peer; /* forgotten with the transport */
	uint32_t write_bound;
	bool records;      /* SOCK_SEQPACKET, else SOCK_STREAM */
	bool drained_owed; /* the bound was reached, and nobody told of room since */
};

struct adopt_port_ops {
	void (*stop)(struct adopt_port *port);
	void (*pause)(struct adopt_port *port);
	void (*resume)(struct adopt_port *port);
	int (*local)(struct adopt_port *port, struct adopt_address *ret);
	int (*descriptor)(const struct adopt_port *port); /* NULL: has none to tell */
	/* As adopt_port_send_several(), of at least one. NULL but on a datagram port. */
	int (*send)(struct adopt_port *port, const struct adopt_address *from,
		    const struct adopt_address *to, const struct adopt_datagram *datagrams,
		    size_t count);
};

/* First in each port's own struct. */
struct adopt_port {
	const struct adopt_port_ops *ops;
	struct adopt_reactor *reactor;
};

/* First in each connector's own struct. */
struct adopt_connector {
	void (*cancel)(struct adopt_connector *connector);
};

/* A factory's ports are counted: start comes with the first, stop after the
 * last. The first returns 0 or what the factory's start returned. */
int adopt_factory_port_starts(struct adopt_factory *factory);
void adopt_factory_port_stopped(struct adopt_factory *factory);

/* Count in the reactor and tell its observer. */
void adopt_count_port(struct adopt_reactor *reactor);
void adopt_count_port_stopped(struct adopt_reactor *reactor);
void adopt_count_connection(struct adopt_transport *transport);
void adopt_count_connection_ended(struct adopt_reactor *reactor, int error);

/* Says how a transport ends now. */
struct adopt_end adopt_end_of(const struct adopt_transport *transport, int error);

/* Tells a transport's attachments that the connection has ended, after the transport
 * itself is gone. attachments: the list's head as it was. */
void adopt_attachments_end(struct adopt_attachment *attachments, const struct adopt_end *end);

/* Gives a transport its protocol, and tells that one. */
void adopt_transport_set_protocol(struct adopt_transport *transport,
				  struct adopt_protocol *protocol);

#endif
