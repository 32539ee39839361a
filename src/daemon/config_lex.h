/*
 * config_lex.h - the words and signs that adoptd.conf is made of
 *
 * The lexical rules are libconfuse's, where those are sound: comments after #
 * and // and between slash-stars, strings in either quote, escapes and ${NAME}
 * in double quotes. What libconfuse would take silently is a fault here: what
 * is not closed, NUL, escapes and variables that mean nothing.
 */
#ifndef DAEMON_CONFIG_LEX_H
#define DAEMON_CONFIG_LEX_H

#include "support/fault.h"

#include <stdbool.h>
#include <stddef.h>

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,   /* unquoted */
	TOKEN_STRING, /* quoted, or unquoted with a variable in it: never a name */
	TOKEN_APPEND, /* += */
	TOKEN_SIGN,   /* one of { } ( ) = , */
};

struct token {
	enum token_kind kind;
	int line;         /* where it begins */
	const char *text; /* the lexer's, until the next token; for messages too */
	bool unusable;    /* a value that a fault of meaning was added for */
};

struct lexer;

/*
 * Begins to read a text.
 * text, length: the caller's, for as long as the lexer lives.
 * file: what faults call it; the caller's too.
 * ret: free it with lexer_free().
 * Returns 0 or -ENOMEM.
 */
int lexer_new(const char *text, size_t length, const char *file, struct faults *faults,
	      struct lexer **ret);

/* Frees a lexer and sets it NULL; NULL inside is harmless. */
void lexer_free(struct lexer **lexer);

/*
 * Reads the next token.
 * Returns 0; -EINVAL after a fault of syntax, which ends the reading; -ENOMEM.
 */
int lexer_next(struct lexer *lexer, struct token *ret);

/* Tells whether a token is this sign. */
bool token_is(const struct token *token, char sign);

/* Tells whether a token can be a value: a word or a string. */
bool token_is_value(const struct token *token);

#endif
