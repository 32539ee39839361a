/* load.h - what the clients of all kinds, and the backends behind the server, share */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "histogram.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Packets of a client that are under way. */
#define LOAD_WINDOW_MAX 64

struct load;

/* What one process counts, in memory that it shares with the one that reports. An
 * operation is what its mode says: a connection, a round trip, a packet, a byte. */
struct counts {
	uint64_t operations; /* within the time that was measured */
	uint64_t all;        /* those that began in it, and ended later, included */
	uint64_t failed;
	uint64_t wrong; /* bytes came that had not been sent, or not all that had */
	uint64_t elapsed_ns;
	struct histogram latency;
};

/* A descriptor in the loop. Put it first in a struct of your own. */
struct watch {
	void (*happened)(struct watch *watch, uint32_t events);
	struct load *load;
	int fd;
};

/* A kind of clients, with the backend that they need. All may be NULL but set_up. */
struct load_mode {
	const char *name;
	/* Opens what is to be there before the time runs: load_ready() for each client. */
	void (*set_up)(struct load *load);
	/* The time runs. */
	void (*start)(struct load *load);
	/* The time is over: begin nothing more. */
	void (*stop)(struct load *load);
	/* About a hundred times a second, from the start until the end. */
	void (*tick)(struct load *load);
	/* Serves a connection that the server has passed on; the descriptor is the mode's. */
	void (*backend)(struct load *load, int fd);
	/* The backend is a datagram socket, which the mode watches by itself. */
	void (*datagram_backend)(struct load *load);
};

enum phase { PHASE_SETTING_UP, PHASE_READY, PHASE_RUNNING, PHASE_ENDING, PHASE_DONE };

enum outcome { OUTCOME_DONE, OUTCOME_FAILED, OUTCOME_WRONG };

struct load {
	/* As asked for. */
	const struct load_mode *mode;
	struct sockaddr_in target;
	const unsigned char *opening; /* what clients say first; NULL: a message */
	size_t size;                  /* of the opening, or of a message, in bytes */
	int backend_fd;               /* a listening or a datagram socket; -1: no backend */
	unsigned clients;             /* of this process */
	unsigned streams;             /* clients of all processes */
	unsigned window;              /* packets of a client under way, at most LOAD_WINDOW_MAX */
	uint64_t run_ns;
	bool half_close;
	bool once;

	/* Of this process. */
	unsigned process;
	enum phase phase;
	int epoll;
	struct watch control;
	struct watch listener;
	uint64_t phase_began_ns;
	uint64_t tick_ns;
	unsigned ready;
	unsigned busy; /* operations under way */
	struct counts *counts;
	uint64_t *sent; /* shared by all: a stream's length by its number, once it has ended */
	void *clients_of_mode;
};

extern const struct load_mode load_short, load_pingpong, load_download, load_bulk, load_udp;

/* Ends the process with a message: what is wrong is the measuring, not the server. */
void load_die(const char *what) __attribute__((noreturn));

/* Allocates zeroed memory, or dies. */
void *load_alloc(size_t count, size_t size);

/* Watches watch->fd for EPOLLIN and the like, level-triggered, until it is closed. */
void load_watch(struct load *load, struct watch *watch, uint32_t events);

/* Watches for other events from now on. */
void load_rewatch(struct watch *watch, uint32_t events);

/* Returns a monotonic time in nanoseconds. */
uint64_t load_now_ns(void);

/*
 * Connects to the server from one of 200 addresses of the loopback, so that no port is
 * wanted again before its TIME_WAIT is over.
 * number: of the client; chooses the address.
 * type: SOCK_STREAM or SOCK_DGRAM.
 * Returns a non-blocking descriptor, perhaps still connecting, or a negative errno.
 */
int load_connect(struct load *load, unsigned number, int type);

/* One client more is ready, or will never be. With the last the time may run. */
void load_ready(struct load *load);

/* An operation begins, at the time that is returned. */
uint64_t load_begin(struct load *load);

/*
 * An operation is over.
 * began_ns: what load_begin() returned.
 * operations: how many it counts for where it is done; those that load_count() had
 * already are not among them.
 */
void load_end(struct load *load, uint64_t began_ns, enum outcome outcome, uint64_t operations);

/* Counts operations, without a latency. */
void load_count(struct load *load, uint64_t operations);

/* Something went wrong outside an operation. */
void load_fault(struct load *load, enum outcome outcome);

/* An operation that had been given up as failed has come to its end after all. */
void load_found(struct load *load);

/* The number of a client among those of all processes. */
unsigned load_number(const struct load *load, unsigned client);

/* Receives and sends as recv(2) and send(2) do, never with a signal; return a negative
 * errno. */
ssize_t load_receive(int fd, void *buffer, size_t size);
ssize_t load_send(int fd, const void *data, size_t length);

/*
 * The loop of one process, from setting up to the end.
 * control: the descriptor to the process that reports. An 'r' goes there when all is
 * ready; a byte from there starts the time; a 'd' tells that it is over and all is
 * counted; its end of file ends the process.
 */
void load_run(struct load *load, int control) __attribute__((noreturn));

#endif
