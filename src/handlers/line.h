/*
 * line.h - who waits in line while no upstream answers
 *
 * While nobody answers, one client at a time tries for all who wait, once an interval.
 * When somebody does, the others follow in the order in which they came: one may try, and
 * one more for each answer, as who has just started has a short backlog.
 * Who finds nobody while others are answered waits alone: one address may stand for many
 * servers, or a backlog be full for a moment.
 */
#ifndef HANDLERS_LINE_H
#define HANDLERS_LINE_H

#include "adopt/adopt.h"

#include <sys/queue.h>

enum line_state { LINE_LEFT, LINE_TRIES, LINE_WAITS };

/*
 * A client's place. Initialize with `.turn`, the rest zero; all but `turn` is line.c's. It
 * stays where it is in memory until it has been answered or has left.
 */
struct line_place {
	/* Its turn has come: it tries. Never called from inside a function of this header. */
	void (*turn)(struct line_place *place);
	TAILQ_ENTRY(line_place) link;
	enum line_state state;
	uint64_t number;
	uint64_t fit_until_ms;
};

/* The line of one reactor. */
struct line {
	struct adopt_reactor *reactor;
	uint64_t interval_ms;
	TAILQ_HEAD(line_places, line_place) waiting; /* in the order of their numbers */
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

/* Begins a line in which nobody waits.
 * interval_ms: between two who try while nobody answers; not 0 where line_failed() is
 * called. */
void line_init(struct line *line, struct adopt_reactor *reactor, uint64_t interval_ms);

/* Forgets what is known: when nobody is in the line any more, and before the reactor goes. */
void line_stop(struct line *line);

/*
 * A client comes. Who is alone tries at once.
 * timeout_ms: how long it stays at most, 0 for ever. In its first half, it is fit to try
 * for others an upstream that may be slow to answer.
 * Returns true where it is to try now, false where it waits for its turn.
 */
bool line_enter(struct line *line, struct line_place *place, uint64_t timeout_ms);

/*
 * Who was to try has found nobody, and waits again, where it was.
 * error: a negative errno, kept for those whose time ends in the line.
 * Returns 0, or -ENOMEM: it has left.
 */
int line_failed(struct line *line, struct line_place *place, int error);

/* place: who was to try. It has been answered, and leaves. */
void line_answered(struct line *line, struct line_place *place);

/* One leaves, whatever it does; harmless for one that has left. */
void line_leave(struct line *line, struct line_place *place);

#endif
