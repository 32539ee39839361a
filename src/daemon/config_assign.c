#include "config_assign.h"

#include "config_table.h"
#include "support/option.h"

#include <errno.h>
#include <string.h>

/* libconfuse reads 010 as 8 and takes the empty string as 0. */
static bool is_integer(const char *text)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	size_t length = strspn(digits, "0123456789");

	return length > 0 && digits[length] == '\0' && (digits[0] != '0' || length == 1);
}

/* Gives the present token to an option as a value. */
static int add_value(struct cursor *cursor, cfg_t *section, cfg_opt_t *option)
{
	const struct token *token = &cursor->token;

	if (token->unusable)
		return 0;
	if (option->type == CFGT_BOOL && cfg_parse_boolean(token->text) < 0) {
		cursor_complain(cursor, token->line, "%s: \"%s\" is neither true nor false",
				option->name, token->text);
		return 0;
	}
	if (option->type == CFGT_INT && !is_integer(token->text)) {
		cursor_complain(cursor, token->line, "%s: \"%s\" is not a number", option->name,
				token->text);
		return 0;
	}
	/* libconfuse judges a stale ERANGE as its own. */
	errno = 0;
	if (cfg_setopt(section, option, token->text))
		return 0;
	if (option->type == CFGT_STR || config_lacked_memory())
		return -ENOMEM;
	cursor_complain(cursor, token->line, "%s: \"%s\" is out of range", option->name,
			token->text);
	return 0;
}

/* Reads a list's values after its {. */
static int read_list(struct cursor *cursor, cfg_t *section, cfg_opt_t *option)
{
	int line = cursor->token.line;
	int error = cursor_next(cursor);

	while (!error && !token_is(&cursor->token, '}')) {
		if (cursor->token.kind == TOKEN_END)
			return cursor_not_closed(cursor, option->name, line, '}');
		if (!token_is_value(&cursor->token))
			return cursor_unexpected(cursor, "a value or }");
		error = add_value(cursor, section, option);
		if (!error)
			error = cursor_next(cursor);
		if (error || token_is(&cursor->token, '}'))
			break;
		if (cursor->token.kind == TOKEN_END)
			return cursor_not_closed(cursor, option->name, line, '}');
		if (!token_is(&cursor->token, ','))
			return cursor_unexpected(cursor, "a comma or }");
		error = cursor_next(cursor);
	}
	return error;
}

/* Reads what stands after an option's = or +=. */
static int read_value(struct cursor *cursor, cfg_t *section, cfg_opt_t *option)
{
	if (token_is(&cursor->token, '{') && option->flags & CFGF_LIST)
		return read_list(cursor, section, option);
	if (token_is(&cursor->token, '{')) {
		cursor_complain(cursor, cursor->token.line, "%s: takes one value, not a list",
				option->name);
		return cursor_skip_group(cursor, option->name, cursor->token.line);
	}
	if (!token_is_value(&cursor->token))
		return cursor_unexpected(cursor, "a value");
	return add_value(cursor, section, option);
}

int config_assign(struct cursor *cursor, cfg_t *section, cfg_opt_t *option, int line)
{
	bool append = cursor->token.kind == TOKEN_APPEND;
	bool list = option->flags & CFGF_LIST;
	bool again = cfg_opt_getcomment(option) != NULL;
	int error;

	if (!append && !token_is(&cursor->token, '=')) {
		cursor_complain(cursor, line, "%s is set with =: %s = %s", option->name,
				option->name, list ? "{...}" : "...");
		return token_is(&cursor->token, '{') ? cursor_skip_group(cursor, option->name, line)
						     : -EINVAL;
	}
	if (append && !list)
		cursor_complain(cursor, line, "%s: += is for lists", option->name);
	else if (again && !append)
		cursor_complain(cursor, line, "%s is set twice, first in %s:%d", option->name,
				option_file(section, option->name),
				option_line(section, option->name));
	if ((append && !list) || (again && !append))
		return cursor_skip_statement(cursor, option->name, line);

	if (list) {
		if (!append)
			cfg_free_value(option);
		option->flags &= ~CFGF_RESET;
	}
	if (!again) {
		error = option_set_place(section, option->name, cursor->file, line);
		if (error)
			return error;
	}
	error = cursor_next(cursor);
	return error ? error : read_value(cursor, section, option);
}
