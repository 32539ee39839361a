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
