#include "line.h"

#include <errno.h>

/* How many begin at one turn: half of the usual backlog. */
#define TURN_MAX 64

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
	line_init(line, line->reactor, line->interval_ms);
}

/* They have not answered those who try, which may be all that they are. */
static bool is_slow(const struct line *line)
{
	return line->down || (line->window > 0 && line->trying >= line->window);
}

/* Until the next turn. Nobody tries more often than once an interval. */
static uint64_t pause_ms(const struct line *line)
{
	unsigned present = line->waiting_count + line->trying;
	uint64_t share_ms = line->interval_ms / (present > 0 ? present : 1);

	if (is_slow(line))
		return line->interval_ms;
	return line->window > 0 || share_ms < TURN_MS ? TURN_MS : share_ms;
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

/* How many may begin now: one even where they are slow. Where all who come may, each of
 * those who wait does about once an interval. */
static unsigned turns(const struct line *line)
{
	unsigned room = 1;

	if (line->window == 0)
		room += (unsigned)(line->waiting_count * TURN_MS / line->interval_ms);
	else if (line->trying < line->window)
		room = line->window - line->trying;
	return room < TURN_MAX ? room : TURN_MAX;
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
	if (!line->ticking && (line->window > 0 || !TAILQ_EMPTY(&line->waiting)))
		tick_later(line);
}

bool line_enter(struct line *line, struct line_place *place, uint64_t timeout_ms)
{
	bool at_once = !line->ticking || line->window == 0;

	place->number = ++line->last_number;
	place->fit_until_ms = timeout_ms ? now_ms(line) + timeout_ms / 2 : UINT64_MAX;
	set_state(line, place, at_once ? LINE_TRIES : LINE_WAITS);
	if (at_once && line->window > 0)
		tick_later(line);
	return at_once;
}

int line_failed(struct line *line, struct line_place *place, int error)
{
	set_state(line, place, LINE_LEFT);
	if (!line->timer && adopt_timer_new(line->reactor, tick, line, &line->timer) < 0)
		return -ENOMEM;
	line->error = error;
	line->down = now_ms(line) >= line->silent_at_ms;
	if (line->down)
		line->window = 1;
	set_state(line, place, LINE_WAITS);
	if (!line->ticking || (line->window > 0 && line->trying == 0))
		tick_later(line);
	return 0;
}

void line_answered(struct line *line, struct line_place *place)
{
	uint64_t before_ms = pause_ms(line);

	set_state(line, place, LINE_LEFT);
	if (TAILQ_EMPTY(&line->waiting))
		line->window = 0;
	else if (line->window > 0 && line->window < line->trying + TURN_MAX)
		line->window++;
	line->down = false;
	line->error = -ETIMEDOUT;
	line->silent_at_ms = now_ms(line) + line->interval_ms;
	if (line->ticking && pause_ms(line) < before_ms)
		tick_later(line);
}

void line_leave(struct line *line, struct line_place *place)
{
	set_state(line, place, LINE_LEFT);
}
