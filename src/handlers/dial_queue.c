#include "dial_queue.h"

#include <errno.h>

/* How many begin at one turn: half of the usual backlog. */
#define TURN_MAX 64

/* Between two turns when somebody answers: time to accept those of the last. */
#define TURN_MS 5

static uint64_t now_ms(const struct dial_queue *queue)
{
	return adopt_reactor_now_ms(queue->reactor);
}

void dial_queue_init(struct dial_queue *queue, struct adopt_reactor *reactor, uint64_t interval_ms)
{
	*queue = (struct dial_queue){.reactor = reactor, .interval_ms = interval_ms};
	TAILQ_INIT(&queue->waiting);
}

void dial_queue_stop(struct dial_queue *queue)
{
	adopt_timer_free(&queue->timer);
	dial_queue_init(queue, queue->reactor, queue->interval_ms);
}

/* They have not answered those who try, which may be all that they are. */
static bool is_slow(const struct dial_queue *queue)
{
	return queue->down || (queue->window > 0 && queue->trying >= queue->window);
}

/* Until the next turn. Who is refused amid answers tries about once an interval. */
static uint64_t pause_ms(const struct dial_queue *queue)
{
	unsigned present = queue->waiting_count + queue->trying;
	uint64_t share_ms = queue->interval_ms / (present > 0 ? present : 1);

	if (is_slow(queue))
		return queue->interval_ms;
	return queue->window > 0 || share_ms < TURN_MS ? TURN_MS : share_ms;
}

static void tick_later(struct dial_queue *queue)
{
	queue->ticking = true;
	adopt_timer_start(queue->timer, pause_ms(queue));
}

/* Whose turn it is: who came first. Who tries while nobody answers needs time to find out,
 * too: it may take its upstream a while. */
static struct dial_queue_place *next_place(const struct dial_queue *queue)
{
	struct dial_queue_place *place = TAILQ_FIRST(&queue->waiting);
	uint64_t now = now_ms(queue);

	while (queue->down && place->fit_until_ms < now && TAILQ_NEXT(place, link))
		place = TAILQ_NEXT(place, link);
	return place;
}

/* Who came before others stays before them. */
static void insert(struct dial_queue *queue, struct dial_queue_place *place)
{
	struct dial_queue_place *other = TAILQ_LAST(&queue->waiting, dial_queue_places);

	if (!other || other->number < place->number) {
		TAILQ_INSERT_TAIL(&queue->waiting, place, link);
		return;
	}
	TAILQ_FOREACH (other, &queue->waiting, link)
		if (other->number > place->number)
			break;
	TAILQ_INSERT_BEFORE(other, place, link);
}

static void set_state(struct dial_queue *queue, struct dial_queue_place *place,
		      enum dial_queue_state state)
{
	if (place->state == DIAL_QUEUE_WAITS) {
		TAILQ_REMOVE(&queue->waiting, place, link);
		queue->waiting_count--;
	} else if (place->state == DIAL_QUEUE_TRIES) {
		queue->trying--;
	}
	place->state = state;
	if (state == DIAL_QUEUE_WAITS) {
		insert(queue, place);
		queue->waiting_count++;
	} else if (state == DIAL_QUEUE_TRIES) {
		queue->trying++;
	}
}

/* How many may begin now: one even where they are slow. Where all who come may, so do
 * those who wait: each about once an interval. */
static unsigned turns(const struct dial_queue *queue)
{
	unsigned room = 1;

	if (queue->window == 0)
		room += (unsigned)(queue->waiting_count * TURN_MS / queue->interval_ms);
	else if (queue->trying < queue->window)
		room = queue->window - queue->trying;
	return room < TURN_MAX ? room : TURN_MAX;
}

/* A turn may fail at once, which has its own pause begin. */
static void tick(void *context)
{
	struct dial_queue *queue = context;
	unsigned left = turns(queue);

	queue->ticking = false;
	if (TAILQ_EMPTY(&queue->waiting))
		return;
	for (; left > 0 && !queue->ticking && !TAILQ_EMPTY(&queue->waiting); left--) {
		struct dial_queue_place *place = next_place(queue);

		set_state(queue, place, DIAL_QUEUE_TRIES);
		place->turn(place);
	}
	if (!queue->ticking && (queue->window > 0 || !TAILQ_EMPTY(&queue->waiting)))
		tick_later(queue);
}

bool dial_queue_enter(struct dial_queue *queue, struct dial_queue_place *place, uint64_t timeout_ms)
{
	bool at_once = !queue->ticking || queue->window == 0;

	place->number = ++queue->last_number;
	place->fit_until_ms = timeout_ms ? now_ms(queue) + timeout_ms / 2 : UINT64_MAX;
	set_state(queue, place, at_once ? DIAL_QUEUE_TRIES : DIAL_QUEUE_WAITS);
	if (at_once && queue->window > 0)
		tick_later(queue);
	return at_once;
}

int dial_queue_failed(struct dial_queue *queue, struct dial_queue_place *place, int error)
{
	set_state(queue, place, DIAL_QUEUE_LEFT);
	if (!queue->timer && adopt_timer_new(queue->reactor, tick, queue, &queue->timer) < 0)
		return -ENOMEM;
	queue->error = error;
	queue->down = now_ms(queue) >= queue->silent_at_ms;
	if (queue->down)
		queue->window = 1;
	set_state(queue, place, DIAL_QUEUE_WAITS);
	if (!queue->ticking || (queue->window > 0 && queue->trying == 0))
		tick_later(queue);
	return 0;
}

void dial_queue_answered(struct dial_queue *queue, struct dial_queue_place *place)
{
	uint64_t before_ms = pause_ms(queue);

	set_state(queue, place, DIAL_QUEUE_LEFT);
	if (TAILQ_EMPTY(&queue->waiting))
		queue->window = 0;
	else if (queue->window > 0 && queue->window < queue->trying + TURN_MAX)
		queue->window++;
	queue->down = false;
	queue->error = -ETIMEDOUT;
	queue->silent_at_ms = now_ms(queue) + queue->interval_ms;
	if (queue->ticking && pause_ms(queue) < before_ms)
		tick_later(queue);
}

void dial_queue_leave(struct dial_queue *queue, struct dial_queue_place *place)
{
	set_state(queue, place, DIAL_QUEUE_LEFT);
}
