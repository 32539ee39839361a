#include "repeats.h"

#include <string.h>

static bool is_over(const struct repeats_line *line, uint64_t now_ms)
{
	return now_ms - line->told_ms >= REPEATS_INTERVAL_MS;
}

static struct repeats_line *find(struct repeats *repeats, int level, const char *text)
{
	for (struct repeats_line *line = repeats->lines; line < repeats->lines + REPEATS_LINES;
	     line++)
		if (line->used && line->level == level && strcmp(line->text, text) == 0)
			return line;
	return NULL;
}

/* Returns a place for another line, NULL where all are taken. */
static struct repeats_line *find_place(struct repeats *repeats, uint64_t now_ms)
{
	for (struct repeats_line *line = repeats->lines; line < repeats->lines + REPEATS_LINES;
	     line++)
		if (!line->used || (is_over(line, now_ms) && line->held == 0))
			return line;
	return NULL;
}

bool repeats_tell(struct repeats *repeats, int level, const char *text, uint64_t now_ms)
{
	size_t length = strlen(text);
	struct repeats_line *line;

	/* What is cut would be taken for what it is not. */
	if (length >= REPEATS_BYTES)
		return true;
	line = find(repeats, level, text);
	if (line && (line->held > 0 || !is_over(line, now_ms))) {
		line->held++;
		repeats->holding += line->held == 1;
		return false;
	}
	if (!line)
		line = find_place(repeats, now_ms);
	if (line) {
		*line = (struct repeats_line){.used = true, .told_ms = now_ms, .level = level};
		memcpy(line->text, text, length + 1);
	}
	return true;
}

bool repeats_take(struct repeats *repeats, bool all, uint64_t now_ms, struct repeats_line *ret)
{
	for (struct repeats_line *line = repeats->lines; line < repeats->lines + REPEATS_LINES;
	     line++) {
		if (line->held == 0 || (!all && !is_over(line, now_ms)))
			continue;
		*ret = *line;
		line->told_ms = now_ms;
		line->held = 0;
		repeats->holding--;
		return true;
	}
	return false;
}
