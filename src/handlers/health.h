/*
 * health.h - what is known of each server of a proxy block, by all threads together
 *
 * A server that fails a client of one worker is left alone by the others too, is told of
 * once, and has the clients of all counted.
 */
#ifndef HANDLERS_HEALTH_H
#define HANDLERS_HEALTH_H

#include "adopt/adopt.h"

#include <stdatomic.h>

struct health_book;

/* What is known of one address. upstream.c says what it means. */
struct health {
	const char *text;             /* the address's */
	const char *name;             /* that it was found by, NULL for none */
	int type;                     /* SOCK_STREAM or SOCK_DGRAM */
	atomic_uint active;           /* clients that it has */
	atomic_uint failures;         /* since it answered last */
	_Atomic uint64_t failed_ms;   /* where it has failed: since when */
	_Atomic uint64_t retry_at_ms; /* likewise: when it is tried again */
};

/*
 * Makes a book without any entry.
 * ret: give it up with health_book_close(); entries that are still taken outlive that.
 * Returns 0, or a negative errno, as -ENOMEM.
 */
int health_book_new(struct health_book **ret);
void health_book_close(struct health_book **book);

/*
 * Takes the entry of an address; the same one for all who take it.
 * type: SOCK_STREAM or SOCK_DGRAM, whose servers may differ.
 * name: that it was found by, NULL for none; outlives the book.
 * Returns it, for health_give_back(), or NULL without memory.
 */
struct health *health_take(struct health_book *book, const struct adopt_address *address, int type,
			   const char *name);

/* Tells of each entry of a book, in the order in which they were first taken, in any
 * thread. What it is told is gone when `tell` returns. */
void health_each(struct health_book *book, void (*tell)(void *context, const struct health *health),
		 void *context);

/* Gives an entry back, which ends with the last who has it. Sets it NULL; NULL inside is
 * harmless. */
void health_give_back(struct health **health);

#endif
