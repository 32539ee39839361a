#include "config_read.h"

#include "config_files.h"
#include "config_lex.h"
#include "config_table.h"
#include "support/option.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Bounds on what a mistake, or malice, can make of includes and blocks. */
#define INCLUDE_DEPTH 10
#define INCLUDED_FILES 1000
#define BLOCK_DEPTH 32

/* A file that is being read, inside those that include it. */
struct source {
	struct source *outer;
	const char *name; /* what faults call it */
	const char *path; /* NULL for a text */
	dev_t device;
	ino_t inode;
	struct lexer *lexer;
};

struct reader {
	cfg_t *tree;
	struct faults *faults;
	struct source *source;
	struct token token; /* the present one */
	unsigned files;
};

static int read_source(struct reader *reader, struct source *source, const char *text,
		       size_t length);

static int next(struct reader *reader)
{
	return lexer_next(reader->source->lexer, &reader->token);
}

static void complain(struct reader *reader, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void complain(struct reader *reader, int line, const char *format, ...)
{
	char message[512];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	fault_add(reader->faults, FAULT_ERROR, reader->source->name, line, "%s", message);
}

/* A fault of syntax: the present token is not what has to come. */
static int unexpected(struct reader *reader, const char *expected)
{
	const char *quote = reader->token.kind == TOKEN_END ? "" : "\"";

	complain(reader, reader->token.line, "%s is expected here, not %s%s%s", expected, quote,
		 reader->token.text, quote);
	return -EINVAL;
}

static int not_closed(struct reader *reader, const char *what, int line, char sign)
{
	complain(reader, line, "%s is never closed: its %c is missing", what, sign);
	return -EINVAL;
}

/* Skips to the sign that closes the present one, whatever stands between. */
static int skip_group(struct reader *reader, const char *name, int line)
{
	char close[BLOCK_DEPTH];
	unsigned depth = 0;
	int error = 0;

	do {
		if (reader->token.kind == TOKEN_END)
			return not_closed(reader, name, line, close[depth - 1]);
		if (token_is(&reader->token, '{') || token_is(&reader->token, '(')) {
			if (depth == BLOCK_DEPTH) {
				complain(reader, reader->token.line,
					 "blocks are nested deeper than %d", BLOCK_DEPTH);
				return -EINVAL;
			}
			close[depth++] = token_is(&reader->token, '{') ? '}' : ')';
		} else if (token_is(&reader->token, '}') || token_is(&reader->token, ')')) {
			if (!token_is(&reader->token, close[depth - 1]))
				return unexpected(reader, close[depth - 1] == '}' ? "}" : ")");
			depth--;
		}
		if (depth > 0)
			error = next(reader);
	} while (!error && depth > 0);
	return error;
}

/* Skips the value after =, or the block, of a name that is not read. The present
 * token is the one after the name. */
static int skip_statement(struct reader *reader, const char *name, int line)
{
	bool assigned = token_is(&reader->token, '=') || reader->token.kind == TOKEN_APPEND;
	int error = 0;

	if (assigned || token_is_value(&reader->token)) {
		error = next(reader);
		if (!error && assigned && token_is_value(&reader->token))
			return 0;
	}
	if (error)
		return error;
	if (assigned && !token_is(&reader->token, '{'))
		return unexpected(reader, "a value");
	if (!token_is(&reader->token, '{') && !token_is(&reader->token, '('))
		return unexpected(reader, "= or {");
	return skip_group(reader, name, line);
}

static void refuse_name(struct reader *reader, const cfg_t *section, const char *name, int line)
{
	const char *suggestion;

	if (config_unsupported(section, name)) {
		complain(reader, line, "%s: not supported yet", name);
		return;
	}
	suggestion = config_suggest(section, name);
	if (suggestion)
		complain(reader, line, "unknown option \"%s\"; did you mean \"%s\"?", name,
			 suggestion);
	else if (strcmp(section->name, "root") == 0)
		complain(reader, line, "unknown option \"%s\"", name);
	else
		complain(reader, line, "unknown option \"%s\" in %s", name, section->name);
}

/* Finds an option by its plain name; cfg_getopt() would take `port|listen` too. */
static cfg_opt_t *find_option(const cfg_t *section, const char *name)
{
	for (cfg_opt_t *option = section->opts; option->name; option++)
		if (strcmp(option->name, name) == 0)
			return option;
	return NULL;
}

/* libconfuse reads 010 as 8 and takes the empty string as 0. */
static bool is_integer(const char *text)
{
	const char *digits = text[0] == '-' ? text + 1 : text;
	size_t length = strspn(digits, "0123456789");

	return length > 0 && digits[length] == '\0' && (digits[0] != '0' || length == 1);
}

/* Gives the present token to an option as a value. */
static int add_value(struct reader *reader, cfg_t *section, cfg_opt_t *option)
{
	const struct token *token = &reader->token;

	if (token->unusable)
		return 0;
	if (option->type == CFGT_BOOL && cfg_parse_boolean(token->text) < 0) {
		complain(reader, token->line, "%s: \"%s\" is neither true nor false", option->name,
			 token->text);
		return 0;
	}
	if (option->type == CFGT_INT && !is_integer(token->text)) {
		complain(reader, token->line, "%s: \"%s\" is not a number", option->name,
			 token->text);
		return 0;
	}
	/* libconfuse judges a stale ERANGE as its own. */
	errno = 0;
	if (cfg_setopt(section, option, token->text))
		return 0;
	if (option->type == CFGT_STR)
		return -ENOMEM;
	complain(reader, token->line, "%s: \"%s\" is out of range", option->name, token->text);
	return 0;
}

/* Reads a list's values after its {. */
static int read_list(struct reader *reader, cfg_t *section, cfg_opt_t *option)
{
	int line = reader->token.line;
	int error = next(reader);

	while (!error && !token_is(&reader->token, '}')) {
		if (reader->token.kind == TOKEN_END)
			return not_closed(reader, option->name, line, '}');
		if (!token_is_value(&reader->token))
			return unexpected(reader, "a value or }");
		error = add_value(reader, section, option);
		if (!error)
			error = next(reader);
		if (error || token_is(&reader->token, '}'))
			break;
		if (reader->token.kind == TOKEN_END)
			return not_closed(reader, option->name, line, '}');
		if (!token_is(&reader->token, ','))
			return unexpected(reader, "a comma or }");
		error = next(reader);
	}
	return error;
}

/* Reads what stands after an option's = or +=. */
static int read_value(struct reader *reader, cfg_t *section, cfg_opt_t *option)
{
	if (token_is(&reader->token, '{') && option->flags & CFGF_LIST)
		return read_list(reader, section, option);
	if (token_is(&reader->token, '{')) {
		complain(reader, reader->token.line, "%s: takes one value, not a list",
			 option->name);
		return skip_group(reader, option->name, reader->token.line);
	}
	if (!token_is_value(&reader->token))
		return unexpected(reader, "a value");
	return add_value(reader, section, option);
}

/* Reads an assignment; the present token is the one after the name. */
static int read_option(struct reader *reader, cfg_t *section, cfg_opt_t *option, int line)
{
	bool append = reader->token.kind == TOKEN_APPEND;
	bool list = option->flags & CFGF_LIST;
	bool again = cfg_opt_getcomment(option) != NULL;
	int error;

	if (!append && !token_is(&reader->token, '=')) {
		complain(reader, line, "%s is set with =: %s = %s", option->name, option->name,
			 list ? "{...}" : "...");
		return token_is(&reader->token, '{') ? skip_group(reader, option->name, line)
						     : -EINVAL;
	}
	if (append && !list)
		complain(reader, line, "%s: += is for lists", option->name);
	else if (again && !append)
		complain(reader, line, "%s is set twice, first in %s:%d", option->name,
			 option_file(section, option->name), option_line(section, option->name));
	if ((append && !list) || (again && !append))
		return skip_statement(reader, option->name, line);

	if (list) {
		if (!append)
			cfg_free_value(option);
		option->flags &= ~CFGF_RESET;
	}
	if (!again) {
		error = option_set_place(section, option->name, reader->source->name, line);
		if (error)
			return error;
	}
	error = next(reader);
	return error ? error : read_value(reader, section, option);
}

static void judge_title(struct reader *reader, const cfg_opt_t *option, const char *title, int line)
{
	for (unsigned i = 0; i < option->nvalues; i++) {
		const cfg_t *section = option->values[i]->section;

		if (strcmp(section->title, title) == 0) {
			complain(reader, line, "%s \"%s\" is there twice, first in %s:%d",
				 option->name, title, section->filename, section->line);
			return;
		}
	}
}

static int open_section(struct reader *reader, cfg_t *parent, cfg_opt_t *option, const char *title,
			int line, cfg_t **ret)
{
	cfg_value_t *value = cfg_setopt(parent, option, title);
	cfg_t *section;

	if (!value)
		return -ENOMEM;
	section = value->section;
	section->line = line;
	if (!section->filename)
		section->filename = strdup(reader->source->name);
	if (!section->filename)
		return -ENOMEM;
	*ret = section;
	return 0;
}

static int read_statement(struct reader *reader, cfg_t *section);

/* Reads a block to its }. The tables bound the depth. */
static int read_body(struct reader *reader, cfg_t *section)
{
	int error = next(reader);

	while (!error && !token_is(&reader->token, '}')) {
		if (reader->token.kind == TOKEN_END)
			return not_closed(reader, section->name, section->line, '}');
		error = read_statement(reader, section);
		if (!error)
			error = next(reader);
	}
	return error;
}

/* Reads a block; the present token is the one after its name. */
static int read_section(struct reader *reader, cfg_t *parent, cfg_opt_t *option, int line)
{
	bool titled = config_block_titled(option->name);
	char *title = NULL;
	cfg_t *section;
	int error = 0;

	if (token_is(&reader->token, '=') || reader->token.kind == TOKEN_APPEND) {
		complain(reader, line, "%s is a block, without =: %s%s {...}", option->name,
			 option->name, titled ? " \"NAME\"" : "");
		return skip_statement(reader, option->name, line);
	}
	if (token_is_value(&reader->token)) {
		if (!titled)
			complain(reader, line, "%s bears no name: write %s {...}", option->name,
				 option->name);
		else if (!reader->token.unusable)
			judge_title(reader, option, reader->token.text, line);
		title = strdup(reader->token.unusable ? "?" : reader->token.text);
		error = title ? next(reader) : -ENOMEM;
	} else if (titled && token_is(&reader->token, '{')) {
		complain(reader, line, "%s needs a name: %s \"NAME\" {...}", option->name,
			 option->name);
		return skip_group(reader, option->name, line);
	}
	if (!error && !token_is(&reader->token, '{'))
		error = unexpected(reader, title || !titled ? "{" : "a name");
	if (!error)
		error = open_section(reader, parent, option, title, line, &section);
	free(title);
	return error ? error : read_body(reader, section);
}

static bool is_open(const struct reader *reader, const struct config_file *file)
{
	for (const struct source *source = reader->source; source; source = source->outer)
		if (source->path && source->device == file->device && source->inode == file->inode)
			return true;
	return false;
}

static int include_file(struct reader *reader, const char *path, int line)
{
	struct config_file file = {0};
	struct source source = {.outer = reader->source, .name = path, .path = path};
	struct token token = reader->token;
	unsigned depth = 0;
	int error;

	for (const struct source *outer = reader->source; outer; outer = outer->outer)
		depth++;
	if (depth > INCLUDE_DEPTH || reader->files == INCLUDED_FILES) {
		complain(reader, line, "%s is not included: more than %d files %s", path,
			 depth > INCLUDE_DEPTH ? INCLUDE_DEPTH : INCLUDED_FILES,
			 depth > INCLUDE_DEPTH ? "deep" : "in all");
		return -EINVAL;
	}
	error = config_file_load(path, &file);
	if (error == -ENOMEM)
		return error;
	if (error < 0) {
		complain(reader, line, "%s cannot be read: %s", path, strerror(-error));
		return 0;
	}
	if (is_open(reader, &file)) {
		complain(reader, line, "%s includes itself this way", path);
	} else {
		source.device = file.device;
		source.inode = file.inode;
		reader->files++;
		error = read_source(reader, &source, file.text, file.length);
	}
	free(file.text);
	reader->token = token;
	return error;
}

static int include_all(struct reader *reader, const char *pattern, int line)
{
	char **paths = NULL;
	int error = config_paths_find(pattern, reader->source->path, &paths);

	if (error == -ENOMEM)
		return error;
	if (error < 0) {
		complain(reader, line, "%s cannot be searched: %s", pattern, strerror(-error));
		return 0;
	}
	for (char **path = paths; !error && *path; path++)
		error = include_file(reader, *path, line);
	config_paths_free(&paths);
	return error;
}

/* Reads include("PATTERN"); the present token is the one after the name. */
static int read_include(struct reader *reader, int line)
{
	char *pattern = NULL;
	bool unusable;
	int error;

	if (!token_is(&reader->token, '('))
		return unexpected(reader, "include(\"FILE\"): a (");
	error = next(reader);
	if (error)
		return error;
	if (!token_is_value(&reader->token))
		return unexpected(reader, "include(\"FILE\"): a file's name");
	unusable = reader->token.unusable;
	pattern = strdup(reader->token.text);
	error = pattern ? next(reader) : -ENOMEM;
	if (!error && !token_is(&reader->token, ')'))
		error = unexpected(reader, "include(\"FILE\"): a )");
	if (!error && !unusable)
		error = include_all(reader, pattern, line);
	free(pattern);
	return error;
}

static int read_statement(struct reader *reader, cfg_t *section)
{
	int line = reader->token.line;
	cfg_opt_t *option;
	char *name;
	int error;

	if (reader->token.kind != TOKEN_WORD)
		return unexpected(reader, "the name of an option or a block");
	name = strdup(reader->token.text);
	if (!name)
		return -ENOMEM;
	error = next(reader);
	if (error)
		goto out;
	option = find_option(section, name);
	if (!option && section == reader->tree && strcmp(name, "include") == 0) {
		error = read_include(reader, line);
	} else if (!option) {
		refuse_name(reader, section, name, line);
		if (token_is(&reader->token, '{'))
			section->flags |= CONFIG_BLOCK_REFUSED;
		error = skip_statement(reader, name, line);
	} else if (option->type == CFGT_SEC) {
		error = read_section(reader, section, option, line);
	} else {
		error = read_option(reader, section, option, line);
	}
out:
	free(name);
	return error;
}

static int read_source(struct reader *reader, struct source *source, const char *text,
		       size_t length)
{
	int error = lexer_new(text, length, source->name, reader->faults, &source->lexer);

	if (error)
		return error;
	reader->source = source;
	do {
		error = next(reader);
		if (!error && reader->token.kind == TOKEN_END)
			break;
		if (!error && token_is(&reader->token, '}')) {
			complain(reader, reader->token.line, "this } closes nothing");
			error = -EINVAL;
		}
		if (!error)
			error = read_statement(reader, reader->tree);
	} while (!error);
	reader->source = source->outer;
	lexer_free(&source->lexer);
	return error;
}

/* The reader adds faults of its own before libconfuse could say anything. */
static void say_nothing(cfg_t *cfg, const char *format, va_list args)
{
	(void)cfg;
	(void)format;
	(void)args;
}

static int read_tree(cfg_t *tree, struct source *source, const char *text, size_t length,
		     struct faults *faults)
{
	struct reader reader = {.tree = tree, .faults = faults, .files = 1};
	int error;

	cfg_set_error_function(tree, say_nothing);
	error = read_source(&reader, source, text, length);
	/* Blocks copy their parent's file name as they open: the tree's comes last. */
	if (!error) {
		tree->filename = strdup(source->name);
		error = tree->filename ? 0 : -ENOMEM;
	}
	return error;
}

int config_tree_read_file(cfg_t *tree, const char *path, struct faults *faults)
{
	struct config_file file = {0};
	struct source source = {.name = path, .path = path};
	int error = config_file_load(path, &file);

	if (error == -ENOMEM)
		return error;
	if (error < 0) {
		fault_add(faults, FAULT_ERROR, path, 0, "cannot be read: %s", strerror(-error));
		return -EINVAL;
	}
	source.device = file.device;
	source.inode = file.inode;
	error = read_tree(tree, &source, file.text, file.length, faults);
	free(file.text);
	return error;
}

int config_tree_read_text(cfg_t *tree, const char *text, struct faults *faults)
{
	struct source source = {.name = "-e"};

	return read_tree(tree, &source, text, strlen(text), faults);
}
