/* memory.h - what the parts of the memory reactor share */
#ifndef ADOPT_MEMORY_H
#define ADOPT_MEMORY_H

#include "private.h"

#include <sys/queue.h>

struct memory_connector;
struct memory_port;
struct memory_signal;
struct memory_transport;

struct memory_timer {
	struct adopt_timer base;
	uint64_t due_ms;
	bool running;
	TAILQ_ENTRY(memory_timer) link;
};

struct memory_watchers {
	struct adopt_watcher **items;
	size_t count;
};

struct memory_reactor {
	struct adopt_reactor base;
	int listen_error;  /* 0 but in a raising reactor */
	int connect_error; /* the same */
	bool running;
	bool stopping;
	bool freeing;
	uint64_t now_ms;

	struct adopt_memory_port *port_records;
	size_t port_record_count;
	struct adopt_memory_connection *connection_records;
	size_t connection_record_count;
	struct adopt_memory_connect *connect_records;
	size_t connect_record_count;
	struct memory_watchers readers;
	struct memory_watchers writers;

	TAILQ_HEAD(memory_timers, memory_timer) timers; /* running ones, the next due first */
	LIST_HEAD(, memory_signal) signals;
	LIST_HEAD(, memory_port) ports;
	LIST_HEAD(, memory_transport) transports;
	LIST_HEAD(, memory_connector) connectors;
};

/* Returns the memory reactor that a reactor is. */
static inline struct memory_reactor *memory_reactor_of(struct adopt_reactor *reactor)
{
	return (struct memory_reactor *)reactor;
}

/* Returns the fixed own address of a family's ports and connections; AF_UNSPEC
 * counts as AF_INET. */
struct adopt_address memory_own_address(int family);

/*
 * Copies what a callback gets, in a block of exactly its size: memory checkers
 * then see who reads past it, and who keeps it.
 * Returns the copy, to be freed, or NULL where memory is short.
 */
void *memory_copy(const void *data, size_t length);

/* The ops of a timer; one that is part of another struct is never freed. */
void memory_timer_start(struct adopt_timer *timer, uint64_t delay_ms);
void memory_timer_stop(struct adopt_timer *timer);

/* Entries of adopt_reactor_ops; see adopt.h. */
int memory_stream_port(struct adopt_reactor *reactor, int fd, int family,
		       struct adopt_factory *factory, struct adopt_port **ret);
int memory_datagram_port(struct adopt_reactor *reactor, int fd, int family,
			 struct adopt_datagram_protocol *protocol, size_t max_packet_size,
			 struct adopt_port **ret);
int memory_watched_port(struct adopt_reactor *reactor, int fd, int family,
			struct adopt_lookout *lookout, struct adopt_port **ret);
int memory_connect_stream(struct adopt_reactor *reactor, const struct adopt_address *address,
			  int type, uint64_t timeout_ms, struct adopt_factory *factory,
			  struct adopt_connector **ret);

/* End everything of their kind at once, as adopt_reactor_free() promises. */
void memory_ports_end(struct memory_reactor *reactor);
void memory_transports_end(struct memory_reactor *reactor);
void memory_connectors_end(struct memory_reactor *reactor);

#endif
