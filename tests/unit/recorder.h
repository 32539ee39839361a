/* recorder.h - a factory, protocols and a peer that write down what happens */
#ifndef RECORDER_H
#define RECORDER_H

#include "harness.h"

struct recorder;

/* What a test adds to a recorder's callbacks. Each may be NULL. */
struct recorder_hooks {
	void (*made)(struct recorder *recorder);
	void (*data)(struct recorder *recorder, const void *data, size_t length);
	void (*read_closed)(struct recorder *recorder);
	void (*drained)(struct recorder *recorder);
	void (*lost)(struct recorder *recorder);
	/* In build_protocol, before it builds. */
	void (*building)(void);
};

/* Most records whose lengths are kept. */
#define RECORD_LENGTHS 32

/* A protocol that fails the test on a callback that must not come. */
struct recorder {
	struct adopt_protocol protocol;
	struct recorder_factory *factory;
	struct adopt_address peer; /* as build_protocol was told */
	unsigned inside;           /* callbacks that have not returned */
	unsigned made;
	unsigned calls; /* of data_received */
	unsigned read_closed;
	unsigned drained;
	unsigned lost;
	int error; /* connection_lost's */
	uint64_t received;
	bool garbled;   /* what came was not the pattern */
	char first[64]; /* the first bytes that came, a string */
	size_t lengths[RECORD_LENGTHS];
	unsigned number; /* for the test */
};

#define BUILT_MAX 512

struct recorder_factory {
	struct adopt_factory factory;
	struct recorder_hooks hooks;
	const struct adopt_protocol_ops *protocol_ops;
	unsigned starts;
	unsigned stops;
	unsigned asked; /* for a protocol */
	int start_error;
	unsigned refuse; /* how many of the next builds build nothing */
	unsigned connect_failed;
	int connect_error;
	unsigned count; /* protocols built */
	struct recorder *built[BUILT_MAX];
};

/* Returns a factory of recorders; recorder_factory_free() frees both. */
struct recorder_factory *recorder_factory_new(void);
void recorder_factory_free(struct recorder_factory *factory);

/* Recorders of a factory without a read_closed, and with nothing that is
 * not required. */
extern const struct adopt_protocol_ops recorder_ops_required_only;

/* Adopts a connection, which must work. Returns its recorder. */
struct recorder *adopt_recorded(struct recorder_factory *factory, int fd);

/* Makes a connection at a place, whose one end is adopted and has no other holder.
 * ret: the other end, the test's. */
struct recorder *recorder_connected(struct recorder_factory *factory, const struct place *place,
				    int *ret);

/* More than the sockets of a place carry between them. */
#define MUCH 3000000

/* Writes so much of the pattern that some is queued, past the bound. */
void queue_much(struct recorder *recorder);

/* Waits until a connection, the last one, is over, and asserts that nothing of it
 * is left. */
void assert_lost(struct recorder *recorder, int error);

/* The transport of a recorder. */
struct adopt_transport *transport_of(struct recorder *recorder);

/* Writes text, which must be taken with room for more. */
void write_text(struct recorder *recorder, const char *text);

/* A datagram protocol that records. */
struct datagram_recorder {
	struct adopt_datagram_protocol protocol;
	void (*received_hook)(struct datagram_recorder *recorder);
	unsigned starts;
	unsigned stops;
	unsigned received;
	unsigned refused;
	unsigned failed;
	int error;     /* failed's */
	size_t length; /* the last datagram's, and so on */
	bool truncated;
	bool garbled; /* it was not the pattern from 0 on */
	struct adopt_address peer;
	struct adopt_address local;
	char first[64];
};

void datagram_recorder_init(struct datagram_recorder *recorder);

/* What an observer was told. */
struct observed {
	struct adopt_observer observer;
	unsigned troubles;
	unsigned recoveries;
	int trouble; /* the last one's error */
	unsigned begun;
	unsigned ended;
	int ended_error; /* the last one's */
	unsigned ports_stopped;
};

/* Observes the loop. */
void observe(struct observed *observed);

/* The other end of a connection: sends the pattern in random pieces, checks what
 * comes, both while the loop runs. */
struct peer {
	struct adopt_watcher watcher;
	uint64_t to_send;
	uint64_t sent;
	uint64_t received;
	bool shut_when_sent;
	bool records; /* each is read as a whole */
	bool garbled;
	bool ended; /* end of file or error */
	int error;
};

/* Starts a peer on a descriptor, which stays the test's. It sends `to_send`
 * bytes and then, if `shut`, an end of file. */
void peer_start(struct peer *peer, int fd, uint64_t to_send, bool shut);
/* Stops it. */
void peer_stop(struct peer *peer);

#endif
