/*
 * roll.h - what a worker has in hand for clients, one by one
 *
 * Whoever has a connection, a session of datagrams or a child process enters it, under a
 * number that no other worker gives: for who lists them, or ends one. Used in the
 * worker's thread only.
 */
#ifndef SUPPORT_ROLL_H
#define SUPPORT_ROLL_H

#include "adopt/adopt.h"
#include "pace.h"

#include <sys/queue.h>

struct roll_entry;

/* What can be seen of an entry. Texts are gone when the callback of the loop that looks
 * returns. */
struct roll_sight {
	const char *kind;    /* stream, seqpacket, datagram, ... */
	const char *port;    /* the port block's name */
	size_t route;        /* counted from 1, 0 for the port's own handler */
	const char *handler; /* NULL: none has it yet */
	const char *note;    /* what the handler says of it, the upstream's address; or NULL */
	struct adopt_address peer;
	uint64_t received; /* bytes from the client, and to it */
	uint64_t sent;
};

struct roll_ops {
	/* Tells what there is to see. */
	void (*look)(struct roll_entry *entry, struct roll_sight *ret);
	/* Ends it at once; it leaves the roll in this call, or later. */
	void (*abort)(struct roll_entry *entry);
};

/* It lies in the struct of whoever has it. */
struct roll_entry {
	const struct roll_ops *ops;
	uint64_t id;                  /* roll.c's */
	uint64_t begun_ms;            /* roll.c's: by the reactor's clock */
	TAILQ_ENTRY(roll_entry) link; /* roll.c's */
};

struct roll {
	TAILQ_HEAD(roll_list, roll_entry) entries; /* by id */
	size_t count;
	struct pace pace; /* of who enters */
	uint64_t next_id;
	unsigned step;
};

/* Begins an empty roll. worker, workers: which of how many has it. */
void roll_init(struct roll *roll, unsigned worker, unsigned workers);

/* Enters and takes out. entry: with its ops. */
void roll_enter(struct roll *roll, struct roll_entry *entry, uint64_t now_ms);
void roll_leave(struct roll *roll, struct roll_entry *entry);

/* Finds the first entry whose id is at least this. Returns it, or NULL. */
struct roll_entry *roll_find(const struct roll *roll, uint64_t id);

/* Returns the entry behind another, or NULL. */
struct roll_entry *roll_next(const struct roll_entry *entry);

#endif
