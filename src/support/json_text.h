/* json_text.h - any text as a JSON string, and JSON as a line of text */
#ifndef SUPPORT_JSON_TEXT_H
#define SUPPORT_JSON_TEXT_H

#include <jansson.h>

/*
 * Makes a JSON string. JSON knows UTF-8 only: in a text that is not, each byte that is no
 * ASCII becomes `\xNN`.
 * Returns it, or NULL where memory is short, which jansson takes for a failure.
 */
json_t *json_text(const char *text);

/* Appends a value, which it takes, to an array. Where memory is short the array is freed
 * and becomes NULL, so that nobody takes a part for the whole. */
void json_append(json_t **array, json_t *value);

/*
 * Writes an object or array as one line, with its end of line. json_dumps() of jansson 2.14
 * leaves names out where memory is short; this does not.
 * Returns the text, which the caller frees, or NULL where memory is short or `json` NULL.
 */
char *json_line(const json_t *json);

#endif
