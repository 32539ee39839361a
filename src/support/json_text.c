#include "json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *json_text(const char *text)
{
	json_t *string = json_string(text);
	char *escaped, *to;

	if (string)
		return string;
	escaped = to = malloc(4 * strlen(text) + 1);
	if (!escaped)
		return NULL;
	for (; *text; text++)
		to += (unsigned char)*text < 0x80
			      ? sprintf(to, "%c", *text)
			      : sprintf(to, "\\x%02X", (unsigned)(unsigned char)*text);
	string = json_string(escaped);
	free(escaped);
	return string;
}

void json_append(json_t **array, json_t *value)
{
	if (json_array_append_new(*array, value) < 0) {
		json_decref(*array);
		*array = NULL;
	}
}

char *json_line(const json_t *json)
{
	size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(6);
	size_t length = json_dumpb(json, NULL, 0, flags);
	char *line = length > 0 ? malloc(length + 2) : NULL;

	if (!line)
		return NULL;
	if (json_dumpb(json, line, length, flags) != length) {
		free(line);
		return NULL;
	}
	memcpy(line + length, "\n", 2);
	return line;
}
