/* lines.h - a text, line by line */
#ifndef ADOPTCTL_LINES_H
#define ADOPTCTL_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* What is left of a text, and the number of the line before it. */
struct lines {
	const char *at;
	const char *end;
	int number;
};

/* One line, without what ends it; not NUL-terminated. */
struct line {
	const char *text;
	size_t length;
};

/* Takes the next line. Returns whether there was one. */
bool lines_next(struct lines *lines, struct line *ret);

/* Returns the first byte of a line that is no blank, NUL where all are. */
char line_first(const struct line *line);

#endif
