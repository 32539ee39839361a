/* dial.h - a client is held until an upstream has taken its connection */
#ifndef HANDLERS_DIAL_H
#define HANDLERS_DIAL_H

#include "dial_queue.h"
#include "upstreams.h"

struct dial;

/* What is to be done for one client. */
struct dial_order {
	struct upstreams *upstreams;
	struct adopt_reactor *reactor;
	struct adopt_address client;
	int type;            /* the client's socket type: records go on as records where
			      * the upstream can have them */
	uint64_t timeout_ms; /* 0: never */
	/* Of those who want the same; its interval is between two rounds, 0: there is one. */
	struct dial_queue *queue;
	/* Gets the connection: connection_made says that an upstream was found. */
	struct adopt_protocol *protocol;
	/* A round has found nobody, and another will follow in its turn. May be NULL. */
	void (*nobody)(void *context);
	/* Nobody has answered in time. error: the last one's. */
	void (*failed)(void *context, int error);
	void *context;
};

/*
 * Begins to dial: rounds over all upstreams until one answers, each when it is the
 * client's turn in its queue. Of several addresses of one name the next is tried beside one
 * that is slow (RFC 8305).
 * order: copied.
 * ret: set before anything is tried: the callbacks may come from inside this call. Free
 * with dial_free() at any time, from inside the callbacks too.
 * Returns 0 or -ENOMEM.
 */
int dial_begin(const struct dial_order *order, struct dial **ret);

/* Returns the upstream that has answered: for the order's protocol, in connection_made. */
struct upstream *dial_upstream(const struct dial *dial);

/* Ends it, and gives up what is still being tried. Sets it NULL; NULL inside is harmless. */
void dial_free(struct dial **dial);

#endif
