/* server_parts.h - what the files of the server share */
#ifndef DAEMON_SERVER_PARTS_H
#define DAEMON_SERVER_PARTS_H

#include "control.h"
#include "drained.h"
#include "elders.h"
#include "sandbox.h"
#include "server.h"
#include "serving.h"
#include "worker.h"

#include <time.h>

/* Whether adoptd still does what it is for. */
enum server_state {
	SERVER_SERVING,
	SERVER_DRAINING, /* accepts no more; ends when nothing is in hand */
	SERVER_ENDING,   /* the loops have been told to stop */
};

#define SERVER_SIGNALS 5

/* How the last reload ended. */
struct server_reload_record {
	bool tried;
	int error;
	struct timespec time;
};

struct server {
	const struct options *options;
	const struct program *program;
	struct inherited_list *list;
	struct ledgers *ledgers;
	struct setup *setup;
	struct slots *slots; /* max-connections of all ports */
	enum server_state state;
	struct sandbox sandbox;
	struct handover *handover; /* to a new adoptd, under way; else NULL */
	bool handed_over;          /* a new adoptd accepts */
	int successor_fd;          /* its end is how that one learns of this one's; -1: none */
	struct elders elders;      /* until they have ended, this one neither is idle nor ends */
	bool end_asked;
	uint64_t descriptors_before; /* so many were open before the first client */

	unsigned worker_count;
	struct worker *workers;
	struct serving *servings; /* one a worker */
	struct spread_load *loads;
	struct adopt_reactor *reactor; /* the first worker's */

	struct adopt_signal *signals[SERVER_SIGNALS];
	struct adopt_timer *drain_timer;
	struct adopt_timer *idle_timer;
	struct adopt_timer *status_timer;
	struct adopt_timer *repeats_timer;
	struct watchdog *watchdog; /* NULL where nobody watches */
	struct control *control;
	struct drained drained; /* read by all workers, in jobs */

	struct timespec started; /* by the wall */
	uint64_t started_ms;     /* by the reactor's clock */
	struct server_reload_record last_reload;

	/* What the workers tell. Those that call are heard by the first one. */
	atomic_uint busy_workers;
	atomic_uint_fast64_t idle_since_ms; /* where none is busy */
	atomic_uint ended_workers;
	struct adopt_call worker_ended;
	atomic_bool status_runs; /* the timer of the status does, or is about to */
	struct adopt_call status_wanted;
	struct adopt_call repeats_held;

	uint64_t drain_until_ms; /* 0: no end is set */
	uint64_t clients_told;   /* in the last status */
	uint64_t told_ms;
};

/* Does a job in every worker's serving, at the same time, and waits for all. Returns as
 * workers_each() does. */
typedef int serving_job(struct serving *serving, void *context);
int server_each(struct server *server, serving_job *job, void *context);

/* Counts what each worker has. ret: one a worker, to be freed. Returns 0 or -ENOMEM. */
int server_count(struct server *server, struct serving_counts **ret);

/* Adds what all workers have. */
void server_sum(const struct server *server, const struct serving_counts *counts,
		struct serving_counts *ret);

/*
 * Reads the configuration again and serves it (reload.c). A fault changes nothing.
 * faults: what is wrong is added to it, and logged; NULL where memory is short for it.
 * Returns 0; -EINVAL where there are faults; -EBUSY unless it serves; another negative
 * errno. The log tells of all.
 */
int server_reload(struct server *server, struct faults *faults);

/* Does so for whoever only reads the log. During a hand-over it is put off until that is
 * over, and then up to whoever serves. */
void server_reload_asked(struct server *server);

/* Says in words what server_reload() returned. */
const char *server_reload_error(int error);

/*
 * Has a port block accept no more, in all workers, until it is told otherwise; what it has
 * in hand goes on (drain_ports.c).
 * name: the block's; NULL: all of them.
 * Returns 0; -ENOENT where there is no such block; -EBUSY unless the server serves; -ENOMEM.
 */
int server_drain_ports(struct server *server, const char *name, bool drain);

/* Tells whether port blocks are served: none is from the start of a drain on. */
bool server_has_stands(const struct server *server);

/* Accepts no more, and has the server end when nothing is in hand (drain.c). Harmless
 * twice. */
void server_retire(struct server *server);

/*
 * Accepts no more, and ends when what is in hand is over (drain.c).
 * timeout_ms: what is left then is closed; 0: never.
 */
void server_drain(struct server *server, uint64_t timeout_ms);
void server_drain_tick(void *server);

/* Ends at once. */
void server_stop(struct server *server);

/* Ends, if nothing is in hand any more after server_retire() (drain.c). */
void server_end_if_drained(struct server *server);

/* Has every worker prepare a setup, with its ports held (reload.c). Returns 0, or a negative
 * errno: then nothing has changed. */
int server_prepare(struct server *server, struct setup *setup);

/* Serves what was prepared, in place of the setup before (reload.c). Returns 0 or -ENOMEM. */
int server_commit(struct server *server);

/* Tells whether the setup has more than connections. */
bool server_has_ports(const struct server *server);

/* Tells why this adoptd cannot hand over as long as it lives, in words (handover.c); NULL:
 * its start is no hindrance. */
const char *server_why_never_hands_over(const struct server *server);

/*
 * Starts adoptd again, and hands over to it all that this one accepts on (handover.c). This
 * one drains when the new one is ready, and goes on if that fails.
 * Returns 0 when it is under way; -EBUSY where there cannot be one; another negative errno.
 * The log tells of all.
 */
int server_hand_over(struct server *server);

/* Takes over from an adoptd before this one, where that accepts still, and watches those that
 * drain (take_over.c). Returns 0, or what handover_accept() does. */
int server_take_over(struct server *server);

/* Ends one that is under way, and the new process; harmless where there is none. */
void server_call_off_hand_over(struct server *server);

/* Remembers a reload for the time after the hand-over that is under way. Returns whether
 * there is one. */
bool server_reload_after_hand_over(struct server *server);

/* Exits when nothing has been in hand for idle-exit, from now on as the setup says
 * (idle.c). */
void server_await_idle(struct server *server);

/* Tells the supervisor that all ports accept (status.c). */
void server_tell_ready(struct server *server);

/* Work begins: the supervisor is told how much, now and then, while that changes. In any
 * worker's thread. */
void server_want_status(struct server *server);
void server_hear_status_wanted(struct adopt_call *call);
void server_tell_status(void *server);

/* Has the log hold back repeats, and tell them a second later (repeats.c). Returns 0 or
 * -ENOMEM. The end of that tells what is left; it is harmless where it has not begun. */
int server_hold_repeats(struct server *server);
void server_tell_repeats(struct server *server);

/*
 * Feeds the supervisor's watchdog, as long as every worker's loop turns (watchdog.c).
 * ret: NULL where nobody watches. Stop it before the workers are freed, and free it
 * after: both are harmless for NULL.
 * Returns 0 or -ENOMEM.
 */
int watchdog_new(struct worker *workers, unsigned count, struct watchdog **ret);
void watchdog_stop(struct watchdog *watchdog);
void watchdog_free(struct watchdog **watchdog);

#endif
