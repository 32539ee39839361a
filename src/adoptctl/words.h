/* words.h - lists of words, bounded: what foreign files say comes as such */
#ifndef ADOPTCTL_WORDS_H
#define ADOPTCTL_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* More than any list of a service's settings has. */
#define WORDS_MAX 4096

/* All zeros is an empty list. */
struct words {
	char **items; /* the list's own */
	size_t count;
	size_t capacity;
};

/* Frees the words; the list is empty then. */
void words_done(struct words *words);

/* Appends a copy of a word. Returns 0; -E2BIG past WORDS_MAX words; -ENOMEM. */
int words_add(struct words *words, const char *word);

/* Appends what printf(3) would write. Returns as words_add() does. */
int words_print(struct words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends copies of all words of another list. Returns as words_add() does. */
int words_append(struct words *words, const struct words *more);

/*
 * Appends the words of a line, which blanks divide.
 * quotes: a word that begins with ' or " goes on to the next such one, without either.
 * Returns 0; -EINVAL where a quote is not closed; as words_add() does.
 */
int words_split(struct words *words, const char *line, size_t length, bool quotes);

/* Tells whether a word is in a list. */
bool words_have(const struct words *words, const char *word);

/* Removes a word wherever it is in a list. */
void words_remove(struct words *words, const char *word);

/* Tells whether two lists are the same, word by word. */
bool words_equal(const struct words *a, const struct words *b);

#endif
