#include "pace.h"

/* Returns the same as of now: what is older than a window or two is forgotten. */
static struct pace as_of(const struct pace *pace, uint64_t now_ms)
{
	uint64_t window = now_ms / PACE_WINDOW_MS;

	if (window == pace->window)
		return *pace;
	return (struct pace){
		.window = window,
		.before = window == pace->window + 1 ? pace->present : 0,
	};
}

void pace_count(struct pace *pace, uint64_t now_ms)
{
	*pace = as_of(pace, now_ms);
	pace->present++;
}

/* Of the window before, the part counts that is not older than a window. */
double pace_per_second(const struct pace *pace, uint64_t now_ms)
{
	struct pace now = as_of(pace, now_ms);
	double passed = (double)(now_ms % PACE_WINDOW_MS) / PACE_WINDOW_MS;

	return ((double)now.present + (double)now.before * (1 - passed)) * 1000 / PACE_WINDOW_MS;
}
