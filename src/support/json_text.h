/* json_text.h - any text as a JSON string */
#ifndef SUPPORT_JSON_TEXT_H
#define SUPPORT_JSON_TEXT_H

#include <jansson.h>

/*
 * Makes a JSON string. JSON knows UTF-8 only: in a text that is not, each byte that is no
 * ASCII becomes `\xNN`.
 * Returns it, or NULL where memory is short, which jansson takes for a failure.
 */
json_t *json_text(const char *text);

#endif
