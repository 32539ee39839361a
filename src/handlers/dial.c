#include "dial.h"

#include <errno.h>
#include <stdlib.h>

/* RFC 8305, section 8: when the next address is tried beside one that has not answered. */
#define ATTEMPT_DELAY_MS 250

/* For so long, a client waits for names whose addresses of before could serve it. */
#define NAME_WAIT_MS 1000

/* One connection that is being tried. */
struct attempt {
	struct adopt_factory factory;
	LIST_ENTRY(attempt) link;
	struct dial *dial;
	struct upstream *upstream;
	struct adopt_connector *connector;
};

struct dial {
	struct dial_order order;
	uint64_t deadline_ms; /* 0: none */
	struct dial_queue_place place;
	struct upstreams_waiter names;
	struct adopt_timer *timer;       /* NULL until there is something to wait for */
	void (*next)(struct dial *dial); /* when the timer is over */
	LIST_HEAD(, attempt) attempts;
	struct upstream **tried; /* in this round */
	size_t tried_count;
	struct upstream *answered;
	int error; /* the last one's */
};

static uint64_t now_ms(const struct dial *dial)
{
	return adopt_reactor_now_ms(dial->order.reactor);
}

static void elapsed(void *context)
{
	struct dial *dial = context;

	dial->next(dial);
}

/* Has something done later; without memory for that it is not. Returns 0 or -ENOMEM. */
static int after(struct dial *dial, uint64_t delay_ms, void (*next)(struct dial *dial))
{
	int error = 0;

	if (!dial->timer)
		error = adopt_timer_new(dial->order.reactor, elapsed, dial, &dial->timer);
	if (error < 0)
		return error;
	dial->next = next;
	adopt_timer_start(dial->timer, delay_ms);
	return 0;
}

static void wait_no_more(struct dial *dial)
{
	if (dial->timer)
		adopt_timer_stop(dial->timer);
}

static void attempt_free(struct attempt *attempt)
{
	adopt_connector_cancel(&attempt->connector);
	LIST_REMOVE(attempt, link);
	upstream_leave(attempt->upstream);
	upstream_unref(&attempt->upstream);
	free(attempt);
}

static void forget_round(struct dial *dial)
{
	for (size_t i = 0; i < dial->tried_count; i++)
		upstream_unref(&dial->tried[i]);
	free(dial->tried);
	dial->tried = NULL;
	dial->tried_count = 0;
}

static void note_error(struct dial *dial, struct upstream *upstream, int error)
{
	dial->error = error;
	upstream_failed(upstream, error, now_ms(dial));
}

/* How long one connect may take: an upstream that does not answer at all leaves the
 * others of the round their share. 0 is without end. */
static uint64_t share_ms(const struct dial *dial)
{
	size_t count = upstreams_count(dial->order.upstreams);
	size_t left = count > dial->tried_count ? count - dial->tried_count + 1 : 1;
	uint64_t now = now_ms(dial), share;

	if (dial->deadline_ms == 0)
		return 0;
	share = now < dial->deadline_ms ? (dial->deadline_ms - now) / left : 0;
	return share > 0 ? share : 1;
}

static int upstream_type(const struct dial *dial, const struct adopt_address *address)
{
	int family = adopt_address_family(address);

	return family == AF_INET || family == AF_INET6 ? SOCK_STREAM : dial->order.type;
}

static void go_on(struct dial *dial);
static void begin_round(struct dial *dial);

static struct attempt *from_factory(struct adopt_factory *factory)
{
	return (struct attempt *)factory;
}

/* The first to answer: the others are given up. */
static struct adopt_protocol *build_protocol(struct adopt_factory *factory,
					     const struct adopt_address *peer)
{
	struct attempt *attempt = from_factory(factory), *other, *next;
	struct dial *dial = attempt->dial;

	(void)peer;
	attempt->connector = NULL;
	wait_no_more(dial);
	for (other = LIST_FIRST(&dial->attempts); other; other = next) {
		next = LIST_NEXT(other, link);
		if (other != attempt)
			attempt_free(other);
	}
	upstream_answered(attempt->upstream);
	dial_queue_answered(dial->order.queue, &dial->place);
	dial->answered = attempt->upstream;
	return dial->order.protocol;
}

static void connect_failed(struct adopt_factory *factory, int error)
{
	struct attempt *attempt = from_factory(factory);
	struct dial *dial = attempt->dial;

	attempt->connector = NULL;
	/* Where the reactor ends, so does the client, and with it all this. */
	if (error == -ECANCELED)
		return;
	note_error(dial, attempt->upstream, error);
	attempt_free(attempt);
	go_on(dial);
}

static const struct adopt_factory_ops attempt_ops = {
	.build_protocol = build_protocol,
	.connect_failed = connect_failed,
};

static int note_tried(struct dial *dial, struct upstream *upstream)
{
	struct upstream **grown =
		realloc(dial->tried, (dial->tried_count + 1) * sizeof dial->tried[0]);

	if (!grown)
		return -ENOMEM;
	dial->tried = grown;
	grown[dial->tried_count++] = upstream_ref(upstream);
	upstream_tried(upstream, now_ms(dial));
	return 0;
}

static int attempt_begin(struct dial *dial, struct upstream *upstream)
{
	struct attempt *attempt = malloc(sizeof *attempt);
	int error;

	if (!attempt)
		return -ENOMEM;
	*attempt = (struct attempt){
		.factory = {.ops = &attempt_ops},
		.dial = dial,
		.upstream = upstream_ref(upstream),
	};
	upstream_enter(upstream);
	LIST_INSERT_HEAD(&dial->attempts, attempt, link);
	error = adopt_connect_stream(dial->order.reactor, &upstream->address,
				     upstream_type(dial, &upstream->address), share_ms(dial),
				     &attempt->factory, &attempt->connector);
	if (error < 0) {
		attempt->connector = NULL;
		attempt_free(attempt);
	}
	return error;
}

static struct upstream *choose(const struct dial *dial, const struct upstream *beside)
{
	const struct balance_client client = {
		.address = &dial->order.client,
		.tried = dial->tried,
		.tried_count = dial->tried_count,
		.beside = beside,
		.now_ms = now_ms(dial),
	};

	return upstreams_choose(dial->order.upstreams, &client);
}

/* One that is slow: the next address of its name is tried beside it. */
static void try_beside(struct dial *dial);

/* Tries the next one. Returns it, or NULL when all have been tried. */
static struct upstream *try_one(struct dial *dial, const struct upstream *beside)
{
	struct upstream *upstream;

	while ((upstream = choose(dial, beside))) {
		int error = note_tried(dial, upstream);

		if (error == 0)
			error = attempt_begin(dial, upstream);
		if (error == 0) {
			if (upstream->named)
				(void)after(dial, ATTEMPT_DELAY_MS, try_beside);
			return upstream;
		}
		if (!upstream_at_fault(error)) {
			dial->error = error;
			return NULL;
		}
		note_error(dial, upstream, error);
	}
	return NULL;
}

static void try_beside(struct dial *dial)
{
	(void)try_one(dial, LIST_FIRST(&dial->attempts)->upstream);
}

static void give_up(struct dial *dial)
{
	wait_no_more(dial);
	dial_queue_leave(dial->order.queue, &dial->place);
	dial->order.failed(dial->order.context, dial->error);
}

static void time_is_over(struct dial *dial)
{
	dial->error = dial->order.queue->error;
	give_up(dial);
}

/* How long it may wait for a turn: a round has an interval at least, so that who is short
 * of time does not take a good upstream for one that does not answer. 0: no more. */
static uint64_t patience_ms(const struct dial *dial)
{
	uint64_t round_ends_ms = now_ms(dial) + dial->order.queue->interval_ms;

	if (dial->deadline_ms == 0)
		return UINT64_MAX;
	return round_ends_ms < dial->deadline_ms ? dial->deadline_ms - round_ends_ms : 0;
}

/* A turn at the last moment is one. Returns 0 or -ENOMEM. */
static int await_turn(struct dial *dial)
{
	return dial->deadline_ms ? after(dial, patience_ms(dial) + 1, time_is_over) : 0;
}

/* A round is over. */
static void end_round(struct dial *dial)
{
	struct dial_queue *queue = dial->order.queue;

	forget_round(dial);
	wait_no_more(dial);
	if (queue->interval_ms == 0 || patience_ms(dial) == 0 || await_turn(dial) < 0 ||
	    dial_queue_failed(queue, &dial->place, dial->error) < 0) {
		give_up(dial);
		return;
	}
	if (dial->order.nobody)
		dial->order.nobody(dial->order.context);
}

static void go_on(struct dial *dial)
{
	if (try_one(dial, NULL) || !LIST_EMPTY(&dial->attempts))
		return;
	end_round(dial);
}

static void stop_waiting(struct dial *dial)
{
	upstreams_leave(&dial->names);
	go_on(dial);
}

static void names_found(struct upstreams_waiter *waiter)
{
	struct dial *dial = (struct dial *)((char *)waiter - offsetof(struct dial, names));

	wait_no_more(dial);
	go_on(dial);
}

static uint64_t name_wait_ms(const struct dial *dial)
{
	uint64_t now = now_ms(dial), left = UINT64_MAX;

	if (dial->deadline_ms)
		left = now < dial->deadline_ms ? dial->deadline_ms - now : 0;
	if (upstreams_count(dial->order.upstreams) > 0 && left > NAME_WAIT_MS)
		left = NAME_WAIT_MS;
	return left;
}

static void begin_round(struct dial *dial)
{
	uint64_t wait_ms;

	dial->error = -EHOSTUNREACH;
	if (upstreams_ready(dial->order.upstreams, &dial->names)) {
		go_on(dial);
		return;
	}
	wait_ms = name_wait_ms(dial);
	if (wait_ms < UINT64_MAX && after(dial, wait_ms, stop_waiting) < 0)
		stop_waiting(dial);
}

static void turn(struct dial_queue_place *place)
{
	struct dial *dial = (struct dial *)((char *)place - offsetof(struct dial, place));

	wait_no_more(dial);
	begin_round(dial);
}

int dial_begin(const struct dial_order *order, struct dial **ret)
{
	struct dial *dial = malloc(sizeof *dial);

	if (!dial)
		return -ENOMEM;
	*dial = (struct dial){
		.order = *order,
		.place = {.turn = turn},
		.names = {.found = names_found},
	};
	if (order->timeout_ms)
		dial->deadline_ms = now_ms(dial) + order->timeout_ms;
	*ret = dial;
	if (dial_queue_enter(order->queue, &dial->place, order->timeout_ms))
		begin_round(dial);
	else if (await_turn(dial) < 0)
		time_is_over(dial);
	return 0;
}

struct upstream *dial_upstream(const struct dial *dial)
{
	return dial->answered;
}

void dial_free(struct dial **ret)
{
	struct dial *dial = *ret;

	*ret = NULL;
	if (!dial)
		return;
	dial_queue_leave(dial->order.queue, &dial->place);
	upstreams_leave(&dial->names);
	while (!LIST_EMPTY(&dial->attempts))
		attempt_free(LIST_FIRST(&dial->attempts));
	forget_round(dial);
	adopt_timer_free(&dial->timer);
	free(dial);
}
