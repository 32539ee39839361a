/*
 * config_cursor.h - a place in the text of adoptd.conf, and what is wrong there
 *
 * Functions here return 0; -EINVAL after a fault of syntax, which ends the
 * reading; -ENOMEM.
 */
#ifndef DAEMON_CONFIG_CURSOR_H
#define DAEMON_CONFIG_CURSOR_H

#include "config_lex.h"
#include "support/fault.h"

/* Reads one file. The reader fills it in. */
struct cursor {
	struct lexer *lexer;
	const char *file; /* what faults call it */
	struct faults *faults;
	struct token token; /* the present one, after a first cursor_next() */
};

/* Goes on to the next token. */
int cursor_next(struct cursor *cursor);

/* Adds an error at a line of the cursor's file. */
void cursor_complain(struct cursor *cursor, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Adds the error that the present token is not what is expected. Returns -EINVAL. */
int cursor_unexpected(struct cursor *cursor, const char *expected);

/* Adds the error that what opened in a line lacks its last sign. Returns -EINVAL. */
int cursor_not_closed(struct cursor *cursor, const char *what, int line, char sign);

/*
 * Skips from a present { or ( to the sign that closes it, whatever stands between.
 * what, line: what opened, for faults.
 */
int cursor_skip_group(struct cursor *cursor, const char *what, int line);

/*
 * Skips the rest of an assignment or a block whose name is not read. The present
 * token is the one after the name; afterwards it is the statement's last.
 */
int cursor_skip_statement(struct cursor *cursor, const char *name, int line);

#endif
