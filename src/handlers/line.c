#include "line.h"

#include <errno.h>

/* How many try at once, unless all of them are slow: half of the usual backlog. */
#define AT_ONCE_MAX 64

/* Between two turns when somebody answers: time to accept those of the last. */
#define TURN_MS 5

static uint64_t now_ms(const struct line *line)
{
	return adopt_reactor_now_ms(line->reactor);
}

void line_init(struct line *line, struct adopt_reactor *reactor, uint64_t interval_ms)
{
	*line = (struct line){.reactor = reactor, .interval_ms = interval_ms};
	TAILQ_INIT(&line->waiting);
}

void line_stop(struct line *line)
{
	adopt_timer_free(&line->timer);
	line->ticking = false;
	line->batch = 0;
}

/* Until the next turn. Nobody tries more often than once an interval. */
static uint64_t pause_ms(const struct line *line)
{
	unsigned present = line->waiting_count + line->trying;
	uint64_t share_ms = line->interval_ms / (present > 0 ? present : 1);

	if (line->down || line->trying >= AT_ONCE_MAX)
		return line->interval_ms;
	return line->batch > 1 || share_ms < TURN_MS ? TURN_MS : share_ms;
}

static void tick_later(struct line *line)
{
	line->ticking = true;
	adopt_timer_start(line->timer, pause_ms(line));
}

/* Whose turn it is: who came first. Who tries while nobody answers needs time to find out,
 * too: it may take its upstream a while. */
static struct line_place *next_place(const struct line *line)
{
	struct line_place *place = TAILQ_FIRST(&line->waiting);
	uint64_t now = now_ms(line);

	while (line->down && place->fit_until_ms < now && TAILQ_NEXT(place, link))
		place = TAILQ_NEXT(place, link);
	return place;
}

/* Who came before others stays before them. */
static void insert(struct line *line, struct line_place *place)
{
	struct line_place *other = TAILQ_LAST(&line->waiting, line_places);

	if (!other || other->number < place->number) {
		TAILQ_INSERT_TAIL(&line->waiting, place, link);
		return;
	}
	TAILQ_FOREACH (other, &line->waiting, link)
		if (other->number > place->number)
			break;
	TAILQ_INSERT_BEFORE(other, place, link);
}

static void set_state(struct line *line, struct line_place *place, enum line_state state)
{
	if (place->state == LINE_WAITS) {
		TAILQ_REMOVE(&line->waiting, place, link);
		line->waiting_count--;
	} else if (place->state == LINE_TRIES) {
		line->trying--;
	}
	place->state = state;
	if (state == LINE_WAITS) {
		insert(line, place);
		line->waiting_count++;
	} else if (state == LINE_TRIES) {
		line->trying++;
	}
}

/* One begins even where many are slow, which may be all that they are. */
static unsigned turns(const struct line *line)
{
	unsigned room = line->trying < AT_ONCE_MAX ? AT_ONCE_MAX - line->trying : 1;

	return line->batch < room ? line->batch : room;
}

/* A turn may fail at once, which has its own pause begin. */
static void tick(void *context)
{
	struct line *line = context;
	unsigned left = turns(line);

	line->ticking = false;
	if (TAILQ_EMPTY(&line->waiting))
		return;
	for (; left > 0 && !line->ticking && !TAILQ_EMPTY(&line->waiting); left--) {
		struct line_place *place = next_place(line);

		set_state(line, place, LINE_TRIES);
		place->turn(place);
	}
	if (!line->ticking && line->batch > 0)
		tick_later(line);
}

bool line_enter(struct line *line, struct line_place *place, uint64_t timeout_ms)
{
	bool at_once = !line->ticking || line->batch == 0;

	place->number = ++line->last_number;
	place->fit_until_ms = timeout_ms ? now_ms(line) + timeout_ms / 2 : UINT64_MAX;
	set_state(line, place, at_once ? LINE_TRIES : LINE_WAITS);
	if (at_once && line->batch > 0)
		tick_later(line);
	return at_once;
}

int line_failed(struct line *line, struct line_place *place, int error)
{
	bool down = error != -EAGAIN, changed = line->batch == 0 || line->down != down;

	set_state(line, place, LINE_LEFT);
	if (!line->timer && adopt_timer_new(line->reactor, tick, line, &line->timer) < 0)
		return -ENOMEM;
	line->error = error;
	line->down = down;
	line->batch = down || line->batch < 2 ? 1 : line->batch / 2;
	set_state(line, place, LINE_WAITS);
	if (changed || !line->ticking || line->trying == 0)
		tick_later(line);
	return 0;
}

void line_answered(struct line *line, struct line_place *place)
{
	bool was_slow = line->batch == 1 || line->trying >= AT_ONCE_MAX;

	set_state(line, place, LINE_LEFT);
	if (line->batch > 0 && line->batch < AT_ONCE_MAX)
		line->batch++;
	if (TAILQ_EMPTY(&line->waiting))
		line->batch = 0;
	line->down = false;
	if (was_slow && line->batch > 0)
		tick_later(line);
}

void line_leave(struct line *line, struct line_place *place)
{
	set_state(line, place, LINE_LEFT);
}
