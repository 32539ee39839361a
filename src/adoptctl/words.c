#include "words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void words_done(struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->items[i]);
	free(words->items);
	*words = (struct words){0};
}

/* Appends a word that becomes the list's own, or is freed. */
static int own(struct words *words, char *word)
{
	int error = -ENOMEM;

	if (!word)
		return -ENOMEM;
	if (words->count == WORDS_MAX) {
		error = -E2BIG;
		goto out;
	}
	if (words->count == words->capacity) {
		size_t capacity = words->capacity ? 2 * words->capacity : 8;
		char **items = realloc(words->items, capacity * sizeof *items);

		if (!items)
			goto out;
		words->items = items;
		words->capacity = capacity;
	}
	words->items[words->count++] = word;
	return 0;
out:
	free(word);
	return error;
}

int words_add(struct words *words, const char *word)
{
	return own(words, strdup(word));
}

int words_print(struct words *words, const char *format, ...)
{
	char *word = NULL;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&word, format, args);
	va_end(args);
	return own(words, length < 0 ? NULL : word);
}

int words_append(struct words *words, const struct words *more)
{
	int error = 0;

	for (size_t i = 0; error == 0 && i < more->count; i++)
		error = words_add(words, more->items[i]);
	return error;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\v' || byte == '\f';
}

int words_split(struct words *words, const char *line, size_t length, bool quotes)
{
	const char *at = line, *end = line + length;
	int error = 0;

	while (error == 0) {
		const char *start;

		while (at < end && is_blank(*at))
			at++;
		if (at == end)
			break;
		start = at;
		if (quotes && (*at == '"' || *at == '\'')) {
			start++;
			at = memchr(start, *at, (size_t)(end - start));
			if (!at)
				return -EINVAL;
			error = own(words, strndup(start, (size_t)(at++ - start)));
			continue;
		}
		while (at < end && !is_blank(*at))
			at++;
		error = own(words, strndup(start, (size_t)(at - start)));
	}
	return error;
}

bool words_have(const struct words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->items[i], word) == 0)
			return true;
	return false;
}

void words_remove(struct words *words, const char *word)
{
	size_t kept = 0;

	for (size_t i = 0; i < words->count; i++) {
		if (strcmp(words->items[i], word) == 0)
			free(words->items[i]);
		else
			words->items[kept++] = words->items[i];
	}
	words->count = kept;
}

bool words_equal(const struct words *a, const struct words *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}
