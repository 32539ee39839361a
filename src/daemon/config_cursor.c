#include "config_cursor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* How deep blocks that nobody knows may be nested; those of the tables are not. */
#define GROUP_DEPTH 32

int cursor_next(struct cursor *cursor)
{
	return lexer_next(cursor->lexer, &cursor->token);
}

void cursor_complain(struct cursor *cursor, int line, const char *format, ...)
{
	char message[512];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	fault_add(cursor->faults, FAULT_ERROR, cursor->file, line, "%s", message);
}

int cursor_unexpected(struct cursor *cursor, const char *expected)
{
	const char *quote = cursor->token.kind == TOKEN_END ? "" : "\"";

	cursor_complain(cursor, cursor->token.line, "%s is expected here, not %s%s%s", expected,
			quote, cursor->token.text, quote);
	return -EINVAL;
}

int cursor_not_closed(struct cursor *cursor, const char *what, int line, char sign)
{
	cursor_complain(cursor, line, "%s is never closed: its %c is missing", what, sign);
	return -EINVAL;
}

int cursor_skip_group(struct cursor *cursor, const char *name, int line)
{
	char close[GROUP_DEPTH];
	unsigned depth = 0;
	int error = 0;

	do {
		if (cursor->token.kind == TOKEN_END)
			return cursor_not_closed(cursor, name, line, close[depth - 1]);
		if (token_is(&cursor->token, '{') || token_is(&cursor->token, '(')) {
			if (depth == GROUP_DEPTH) {
				cursor_complain(cursor, cursor->token.line,
						"blocks are nested deeper than %d", GROUP_DEPTH);
				return -EINVAL;
			}
			close[depth++] = token_is(&cursor->token, '{') ? '}' : ')';
		} else if (token_is(&cursor->token, '}') || token_is(&cursor->token, ')')) {
			if (!token_is(&cursor->token, close[depth - 1]))
				return cursor_unexpected(cursor,
							 close[depth - 1] == '}' ? "}" : ")");
			depth--;
		}
		if (depth > 0)
			error = cursor_next(cursor);
	} while (!error && depth > 0);
	return error;
}

int cursor_skip_statement(struct cursor *cursor, const char *name, int line)
{
	bool assigned = token_is(&cursor->token, '=') || cursor->token.kind == TOKEN_APPEND;
	int error = 0;

	if (assigned || token_is_value(&cursor->token)) {
		error = cursor_next(cursor);
		if (!error && assigned && token_is_value(&cursor->token))
			return 0;
	}
	if (error)
		return error;
	if (assigned && !token_is(&cursor->token, '{'))
		return cursor_unexpected(cursor, "a value");
	if (!token_is(&cursor->token, '{') && !token_is(&cursor->token, '('))
		return cursor_unexpected(cursor, "= or {");
	return cursor_skip_group(cursor, name, line);
}
