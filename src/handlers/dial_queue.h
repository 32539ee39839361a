/*
 * dial_queue.h - who waits while no upstream answers
 *
 * While nobody answers, one client at a time tries for all who wait, once an interval.
 * When somebody does, the others follow in the order in which they came: one may try, and
 * one more for each answer, as who has just started has a short backlog.
 * Who finds nobody while others are answered waits alone: one address may stand for many
 * servers, or a backlog be full for a moment.
 */
#ifndef HANDLERS_DIAL_QUEUE_H
#define HANDLERS_DIAL_QUEUE_H

#include "adopt/adopt.h"

#include <sys/queue.h>

enum dial_queue_state { DIAL_QUEUE_LEFT, DIAL_QUEUE_TRIES, DIAL_QUEUE_WAITS };

/*
 * A client's place. Initialize with `.turn`, the rest zero; all but `turn` is dial_queue.c's.
 * It stays where it is in memory until it has been answered or has left.
 */
struct dial_queue_place {
	/* Its turn has come: it tries. Never called from inside a function of this header. */
	void (*turn)(struct dial_queue_place *place);
	TAILQ_ENTRY(dial_queue_place) link;
	enum dial_queue_state state;
	uint64_t number;
	uint64_t fit_until_ms;
};

/* The queue of one reactor. */
struct dial_queue {
	struct adopt_reactor *reactor;
	uint64_t interval_ms;
	TAILQ_HEAD(dial_queue_places, dial_queue_place) waiting; /* in the order of their numbers */
	unsigned waiting_count;
	unsigned trying;
	uint64_t last_number;
	unsigned window;           /* how many may try at once; 0: all who come */
	uint64_t silent_at_ms;     /* an interval after the last answer */
	bool down;                 /* nobody answers */
	int error;                 /* what the last one met since an answer, or -ETIMEDOUT */
	struct adopt_timer *timer; /* NULL until it is needed */
	bool ticking;              /* it runs: while somebody waits, but at a turn itself */
};

/* Begins a queue in which nobody waits.
 * interval_ms: between two who try while nobody answers; not 0 where dial_queue_failed() is
 * called. */
void dial_queue_init(struct dial_queue *queue, struct adopt_reactor *reactor, uint64_t interval_ms);

/* Forgets what is known: when nobody is in the queue any more, and before the reactor goes. */
void dial_queue_stop(struct dial_queue *queue);

/*
 * A client comes. Who is alone tries at once.
 * timeout_ms: how long it stays at most, 0 for ever. In its first half, it is fit to try
 * for others an upstream that may be slow to answer.
 * Returns true where it is to try now, false where it waits for its turn.
 */
bool dial_queue_enter(struct dial_queue *queue, struct dial_queue_place *place,
		      uint64_t timeout_ms);

/*
 * Who was to try has found nobody, and waits again, where it was.
 * error: a negative errno, kept for those whose time ends in the queue.
 * Returns 0, or -ENOMEM: it has left.
 */
int dial_queue_failed(struct dial_queue *queue, struct dial_queue_place *place, int error);

/* place: who was to try. It has been answered, and leaves. */
void dial_queue_answered(struct dial_queue *queue, struct dial_queue_place *place);

/* One leaves, whatever it does; harmless for one that has left. */
void dial_queue_leave(struct dial_queue *queue, struct dial_queue_place *place);

#endif
