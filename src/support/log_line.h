/* log_line.h - what one line of the log says, before it has a form */
#ifndef SUPPORT_LOG_LINE_H
#define SUPPORT_LOG_LINE_H

#include "log.h"

struct log_line {
	enum log_level level;
	const char *message;
	const struct log_field *fields;
	size_t field_count;
	unsigned repeated; /* it stands for so many that repeat one before; 0: for itself */
};

/*
 * Writes a line as a JSON object: time, level, message, its fields, repeated.
 * Returns it, malloc'ed, with its line feed; NULL where memory is short.
 */
char *log_line_json(const struct log_line *line);

#endif
