#include "config_lex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct lexer {
	const char *at;
	const char *end;
	const char *file;
	struct faults *faults;
	int line;
	bool unusable; /* the token that is being read */
	char *text;    /* the token's, NUL-terminated */
	size_t used;
	size_t capacity;
};

int lexer_new(const char *text, size_t length, const char *file, struct faults *faults,
	      struct lexer **ret)
{
	struct lexer *lexer = calloc(1, sizeof *lexer);

	if (!lexer)
		return -ENOMEM;
	*lexer = (struct lexer){
		.at = text, .end = text + length, .file = file, .faults = faults, .line = 1};
	*ret = lexer;
	return 0;
}

void lexer_free(struct lexer **lexer)
{
	if (!*lexer)
		return;
	free((*lexer)->text);
	free(*lexer);
	*lexer = NULL;
}

bool token_is(const struct token *token, char sign)
{
	return token->kind == TOKEN_SIGN && token->text[0] == sign;
}

bool token_is_value(const struct token *token)
{
	return token->kind == TOKEN_WORD || token->kind == TOKEN_STRING;
}

/* Returns the byte `ahead` of the present one, -1 past the end. */
static int peek(const struct lexer *lexer, size_t ahead)
{
	if (ahead >= (size_t)(lexer->end - lexer->at))
		return -1;
	return (unsigned char)lexer->at[ahead];
}

static void advance(struct lexer *lexer, size_t bytes)
{
	for (; bytes > 0; bytes--)
		if (*lexer->at++ == '\n')
			lexer->line++;
}

static int put(struct lexer *lexer, const char *bytes, size_t length)
{
	if (lexer->capacity - lexer->used <= length) {
		size_t capacity = 2 * lexer->capacity + length + 64;
		char *text = realloc(lexer->text, capacity);

		if (!text)
			return -ENOMEM;
		lexer->text = text;
		lexer->capacity = capacity;
	}
	memcpy(lexer->text + lexer->used, bytes, length);
	lexer->used += length;
	lexer->text[lexer->used] = '\0';
	return 0;
}

static int put_byte(struct lexer *lexer, int byte)
{
	char single = (char)byte;

	return put(lexer, &single, 1);
}

/* Copies the present byte. */
static int take(struct lexer *lexer)
{
	int error = put_byte(lexer, peek(lexer, 0));

	advance(lexer, 1);
	return error;
}

static int refuse(struct lexer *lexer, int line, const char *what)
{
	fault_add(lexer->faults, FAULT_ERROR, lexer->file, line, "%s", what);
	return -EINVAL;
}

static bool is_name_byte(char byte, bool first)
{
	return byte == '_' || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
	       (!first && byte >= '0' && byte <= '9');
}

/* Splits what stands between the braces of ${NAME} or ${NAME:-DEFAULT}. */
static int split_variable(char *inside, char **ret_fallback)
{
	size_t length = 0;

	while (is_name_byte(inside[length], length == 0))
		length++;
	if (length == 0 || (inside[length] && strncmp(inside + length, ":-", 2) != 0))
		return -EINVAL;
	*ret_fallback = inside[length] ? inside + length + 2 : NULL;
	inside[length] = '\0';
	return 0;
}

static int expand_variable(struct lexer *lexer)
{
	const char *inside = lexer->at + 2;
	const char *close = memchr(inside, '}', (size_t)(lexer->end - inside));
	char *name, *fallback = NULL;
	const char *value;
	int error = 0;

	if (!close)
		return refuse(
			lexer, lexer->line,
			"this ${ is never closed: a } is missing; a plain ${ is written \\${");
	name = strndup(inside, (size_t)(close - inside));
	if (!name)
		return -ENOMEM;
	if (split_variable(name, &fallback) < 0) {
		fault_add(
			lexer->faults, FAULT_ERROR, lexer->file, lexer->line,
			"${%s} names no variable; write ${NAME} or ${NAME:-default}, and \\${ for "
			"a plain ${",
			name);
		lexer->unusable = true;
		goto out;
	}
	value = getenv(name);
	if (!value)
		value = fallback;
	if (value) {
		error = put(lexer, value, strlen(value));
	} else {
		fault_add(lexer->faults, FAULT_ERROR, lexer->file, lexer->line,
			  "the environment has no variable %s; ${%s:-default} would give it a "
			  "default",
			  name, name);
		lexer->unusable = true;
	}
out:
	free(name);
	if (!error)
		advance(lexer, (size_t)(close + 1 - lexer->at));
	return error;
}

static int digit_value(int byte, int base)
{
	int value = -1;

	if (byte >= '0' && byte <= '9')
		value = byte - '0';
	else if (byte >= 'a' && byte <= 'f')
		value = byte - 'a' + 10;
	else if (byte >= 'A' && byte <= 'F')
		value = byte - 'A' + 10;
	return value < base ? value : -1;
}

/* Reads \NNN, or \xNN with the x already behind it. */
static int take_numeric_escape(struct lexer *lexer, int base, int max_digits)
{
	int value = 0, digits = 0;

	for (; digits < max_digits && digit_value(peek(lexer, 0), base) >= 0; digits++) {
		value = value * base + digit_value(peek(lexer, 0), base);
		advance(lexer, 1);
	}
	if (digits == 0)
		return refuse(lexer, lexer->line,
			      "\\x is followed by one or two hexadecimal digits");
	if (value == 0)
		return refuse(lexer, lexer->line, "a string cannot hold the byte NUL");
	if (value > 0xFF)
		return refuse(lexer, lexer->line, "an octal escape is at most \\377");
	return put_byte(lexer, value);
}

static int take_escape(struct lexer *lexer)
{
	static const char letters[] = "abefnrtv", meanings[] = "\a\b\033\f\n\r\t\v";
	int byte = peek(lexer, 1);
	const char *letter = byte > 0 ? strchr(letters, byte) : NULL;

	if (byte < 0 || byte == '\0' || (byte >= '0' && byte <= '7')) {
		advance(lexer, 1);
		return byte > 0 ? take_numeric_escape(lexer, 8, 3) : 0;
	}
	advance(lexer, 2);
	if (byte == 'x')
		return take_numeric_escape(lexer, 16, 2);
	if (byte == '\n')
		return 0;
	if (letter)
		return put_byte(lexer, meanings[letter - letters]);
	if (is_name_byte((char)byte, false))
		return refuse(lexer, lexer->line,
			      "this escape means nothing; a backslash itself is written \\\\");
	return put_byte(lexer, byte);
}

/* In single quotes a backslash escapes a quote, itself and a line feed only. */
static int take_single_quoted(struct lexer *lexer)
{
	int next = peek(lexer, 1);

	if (peek(lexer, 0) != '\\' || (next != '\\' && next != '\'' && next != '\n'))
		return take(lexer);
	advance(lexer, 1);
	if (next != '\n')
		return take(lexer);
	advance(lexer, 1);
	return 0;
}

static int take_double_quoted(struct lexer *lexer)
{
	if (peek(lexer, 0) == '\\')
		return take_escape(lexer);
	if (peek(lexer, 0) == '$' && peek(lexer, 1) == '{')
		return expand_variable(lexer);
	return take(lexer);
}

static int read_string(struct lexer *lexer)
{
	int quote = peek(lexer, 0);
	int line = lexer->line;
	int error = 0;

	advance(lexer, 1);
	while (peek(lexer, 0) != quote) {
		if (peek(lexer, 0) < 0)
			return refuse(lexer, line,
				      "this string is never closed: its second quote is missing");
		if (peek(lexer, 0) == '\0')
			return refuse(lexer, lexer->line, "a string cannot hold the byte NUL");
		error = quote == '"' ? take_double_quoted(lexer) : take_single_quoted(lexer);
		if (error < 0)
			return error;
	}
	advance(lexer, 1);
	return 0;
}

static bool starts_comment(const struct lexer *lexer)
{
	int byte = peek(lexer, 0), next = peek(lexer, 1);

	return byte == '#' || (byte == '/' && (next == '/' || next == '*'));
}

static bool is_word_byte(const struct lexer *lexer)
{
	int byte = peek(lexer, 0);

	/* Inside a word, // belongs to it as in libconfuse (http://example.org), and
	 * so does #, or `port web#0` would need quotes. */
	if (byte == '/')
		return peek(lexer, 1) != '*';
	return byte > 0x20 && byte != 0x7f && !strchr("\"'{}()=+,", byte);
}

static int read_word(struct lexer *lexer, enum token_kind *ret_kind)
{
	int error = 0;

	*ret_kind = TOKEN_WORD;
	while (!error && is_word_byte(lexer)) {
		if (peek(lexer, 0) == '$' && peek(lexer, 1) == '{') {
			*ret_kind = TOKEN_STRING;
			error = expand_variable(lexer);
		} else {
			error = take(lexer);
		}
	}
	return error;
}

static int skip_comment(struct lexer *lexer)
{
	int line = lexer->line;

	if (peek(lexer, 0) == '#' || peek(lexer, 1) == '/') {
		while (peek(lexer, 0) >= 0 && peek(lexer, 0) != '\n')
			advance(lexer, 1);
		return 0;
	}
	advance(lexer, 2);
	while (!(peek(lexer, 0) == '*' && peek(lexer, 1) == '/')) {
		if (peek(lexer, 0) < 0)
			return refuse(lexer, line, "this comment is never closed: a */ is missing");
		advance(lexer, 1);
	}
	advance(lexer, 2);
	return 0;
}

static int skip_blanks(struct lexer *lexer)
{
	int error = 0;

	while (!error && peek(lexer, 0) >= 0) {
		if (strchr(" \t\r\n\v\f", peek(lexer, 0)) && peek(lexer, 0) != '\0')
			advance(lexer, 1);
		else if (starts_comment(lexer))
			error = skip_comment(lexer);
		else
			break;
	}
	return error;
}

static int refuse_byte(struct lexer *lexer)
{
	if (peek(lexer, 0) == '+')
		return refuse(lexer, lexer->line, "a + stands only before = or in a quoted string");
	fault_add(lexer->faults, FAULT_ERROR, lexer->file, lexer->line,
		  "the byte 0x%02X cannot stand here", (unsigned)peek(lexer, 0));
	return -EINVAL;
}

int lexer_next(struct lexer *lexer, struct token *ret)
{
	struct token token = {.kind = TOKEN_END};
	int error = skip_blanks(lexer);
	int byte = peek(lexer, 0);

	if (error < 0)
		return error;
	token.line = lexer->line;
	lexer->used = 0;
	lexer->unusable = false;
	error = put(lexer, "", 0);
	if (error < 0)
		return error;
	if (byte == '"' || byte == '\'') {
		token.kind = TOKEN_STRING;
		error = read_string(lexer);
	} else if (byte > 0 && strchr("{}()=,", byte)) {
		token.kind = TOKEN_SIGN;
		error = take(lexer);
	} else if (byte == '+' && peek(lexer, 1) == '=') {
		token.kind = TOKEN_APPEND;
		error = take(lexer);
		if (!error)
			error = take(lexer);
	} else if (byte >= 0 && is_word_byte(lexer)) {
		error = read_word(lexer, &token.kind);
	} else if (byte >= 0) {
		error = refuse_byte(lexer);
	}
	if (error < 0)
		return error;
	token.text = token.kind == TOKEN_END ? "the end of the file" : lexer->text;
	token.unusable = lexer->unusable;
	*ret = token;
	return 0;
}
