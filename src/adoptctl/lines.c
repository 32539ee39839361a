#include "lines.h"

#include <string.h>

bool lines_next(struct lines *lines, struct line *ret)
{
	const char *feed;

	if (lines->at == lines->end)
		return false;
	feed = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
	ret->text = lines->at;
	ret->length = (size_t)((feed ? feed : lines->end) - lines->at);
	lines->at = feed ? feed + 1 : lines->end;
	lines->number++;
	return true;
}

char line_first(const struct line *line)
{
	for (size_t i = 0; i < line->length; i++)
		if (!strchr(" \t\r\v\f", line->text[i]))
			return line->text[i];
	return '\0';
}
