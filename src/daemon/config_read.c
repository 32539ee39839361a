#include "config_read.h"

#include "config_assign.h"
#include "config_cursor.h"
#include "config_table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Bounds on what a mistake, or malice, can make of includes. */
#define INCLUDE_DEPTH 10
#define INCLUDED_FILES 1000

/* A file that is being read, inside those that include it. */
struct source {
	struct source *outer;
	const char *path; /* NULL for a text */
	dev_t device;
	ino_t inode;
	struct cursor cursor;
};

struct reader {
	cfg_t *tree;
	struct source *source;
	struct config_sources *sources;
	unsigned files;
};

static int read_source(struct reader *reader, struct source *source, const char *text,
		       size_t length);

static void refuse_name(struct cursor *cursor, const cfg_t *section, const char *name, int line)
{
	const char *suggestion;

	if (config_unsupported(section, name)) {
		cursor_complain(cursor, line, "%s: not supported yet", name);
		return;
	}
	suggestion = config_suggest(section, name);
	if (suggestion)
		cursor_complain(cursor, line, "unknown option \"%s\"; did you mean \"%s\"?", name,
				suggestion);
	else if (strcmp(section->name, "root") == 0)
		cursor_complain(cursor, line, "unknown option \"%s\"", name);
	else
		cursor_complain(cursor, line, "unknown option \"%s\" in %s", name, section->name);
}

/* Finds an option by its plain name; cfg_getopt() would take `port|listen` too. */
static cfg_opt_t *find_option(const cfg_t *section, const char *name)
{
	for (cfg_opt_t *option = section->opts; option->name; option++)
		if (strcmp(option->name, name) == 0)
			return option;
	return NULL;
}

static void judge_title(struct cursor *cursor, const cfg_opt_t *option, const char *title, int line)
{
	for (unsigned i = 0; i < option->nvalues; i++) {
		const cfg_t *section = option->values[i]->section;

		if (strcmp(section->title, title) == 0) {
			cursor_complain(cursor, line, "%s \"%s\" is there twice, first in %s:%d",
					option->name, title, section->filename, section->line);
			return;
		}
	}
}

static int open_section(struct cursor *cursor, cfg_t *parent, cfg_opt_t *option, const char *title,
			int line, cfg_t **ret)
{
	cfg_value_t *value;
	cfg_t *section;

	errno = 0;
	value = cfg_setopt(parent, option, title);
	if (!value || config_lacked_memory())
		return -ENOMEM;
	section = value->section;
	section->line = line;
	if (!section->filename)
		section->filename = strdup(cursor->file);
	if (!section->filename)
		return -ENOMEM;
	*ret = section;
	return 0;
}

static int read_statement(struct reader *reader, cfg_t *section);

/* Reads a block to its }. The tables bound the depth. */
static int read_body(struct reader *reader, cfg_t *section)
{
	struct cursor *cursor = &reader->source->cursor;
	int error = cursor_next(cursor);

	while (!error && !token_is(&cursor->token, '}')) {
		if (cursor->token.kind == TOKEN_END)
			return cursor_not_closed(cursor, section->name, section->line, '}');
		error = read_statement(reader, section);
		if (!error)
			error = cursor_next(cursor);
	}
	return error;
}

/* Reads a block; the present token is the one after its name. */
static int read_section(struct reader *reader, cfg_t *parent, cfg_opt_t *option, int line)
{
	struct cursor *cursor = &reader->source->cursor;
	bool titled = config_block_titled(option->name);
	char *title = NULL;
	cfg_t *section;
	int error = 0;

	if (token_is(&cursor->token, '=') || cursor->token.kind == TOKEN_APPEND) {
		cursor_complain(cursor, line, "%s is a block, without =: %s%s {...}", option->name,
				option->name, titled ? " \"NAME\"" : "");
		return cursor_skip_statement(cursor, option->name, line);
	}
	if (token_is_value(&cursor->token)) {
		if (!titled)
			cursor_complain(cursor, line, "%s bears no name: write %s {...}",
					option->name, option->name);
		else if (!cursor->token.unusable)
			judge_title(cursor, option, cursor->token.text, line);
		title = strdup(cursor->token.unusable ? "?" : cursor->token.text);
		error = title ? cursor_next(cursor) : -ENOMEM;
	} else if (titled && token_is(&cursor->token, '{')) {
		cursor_complain(cursor, line, "%s needs a name: %s \"NAME\" {...}", option->name,
				option->name);
		return cursor_skip_group(cursor, option->name, line);
	}
	if (!error && !token_is(&cursor->token, '{'))
		error = cursor_unexpected(cursor, title || !titled ? "{" : "a name");
	if (!error)
		error = open_section(cursor, parent, option, title, line, &section);
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
	struct cursor *cursor = &reader->source->cursor;
	struct config_file file = {0};
	struct source source = {.outer = reader->source,
				.path = path,
				.cursor = {.file = path, .faults = cursor->faults}};
	unsigned depth = 0;
	int error;

	for (const struct source *outer = reader->source; outer; outer = outer->outer)
		depth++;
	if (depth > INCLUDE_DEPTH || reader->files == INCLUDED_FILES) {
		cursor_complain(cursor, line, "%s is not included: more than %d files %s", path,
				depth > INCLUDE_DEPTH ? INCLUDE_DEPTH : INCLUDED_FILES,
				depth > INCLUDE_DEPTH ? "deep" : "in all");
		return -EINVAL;
	}
	error = config_file_load(path, &file);
	if (error == -ENOMEM)
		return error;
	if (error < 0) {
		cursor_complain(cursor, line, "%s cannot be read: %s", path, strerror(-error));
		return 0;
	}
	if (is_open(reader, &file)) {
		cursor_complain(cursor, line, "%s includes itself this way", path);
	} else {
		source.device = file.device;
		source.inode = file.inode;
		reader->files++;
		error = read_source(reader, &source, file.text, file.length);
	}
	free(file.text);
	return error;
}

static int include_all(struct reader *reader, const char *pattern, int line)
{
	struct cursor *cursor = &reader->source->cursor;
	char **paths = NULL;
	int error = config_sources_add_search(reader->sources, pattern, reader->source->path);

	if (error == 0)
		error = config_paths_find(pattern, reader->source->path, &paths);
	if (error == -ENOMEM)
		return error;
	if (error < 0) {
		cursor_complain(cursor, line, "%s cannot be searched: %s", pattern,
				strerror(-error));
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
	struct cursor *cursor = &reader->source->cursor;
	char *pattern = NULL;
	bool unusable;
	int error;

	if (!token_is(&cursor->token, '('))
		return cursor_unexpected(cursor, "include(\"FILE\"): a (");
	error = cursor_next(cursor);
	if (error)
		return error;
	if (!token_is_value(&cursor->token))
		return cursor_unexpected(cursor, "include(\"FILE\"): a file's name");
	unusable = cursor->token.unusable;
	pattern = strdup(cursor->token.text);
	error = pattern ? cursor_next(cursor) : -ENOMEM;
	if (!error && !token_is(&cursor->token, ')'))
		error = cursor_unexpected(cursor, "include(\"FILE\"): a )");
	if (!error && !unusable)
		error = include_all(reader, pattern, line);
	free(pattern);
	return error;
}

static int read_statement(struct reader *reader, cfg_t *section)
{
	struct cursor *cursor = &reader->source->cursor;
	int line = cursor->token.line;
	cfg_opt_t *option;
	char *name;
	int error;

	if (cursor->token.kind != TOKEN_WORD)
		return cursor_unexpected(cursor, "the name of an option or a block");
	name = strdup(cursor->token.text);
	if (!name)
		return -ENOMEM;
	error = cursor_next(cursor);
	if (error)
		goto out;
	option = find_option(section, name);
	if (!option && section == reader->tree && strcmp(name, "include") == 0) {
		error = read_include(reader, line);
	} else if (!option) {
		refuse_name(cursor, section, name, line);
		if (token_is(&cursor->token, '{'))
			section->flags |= CONFIG_BLOCK_REFUSED;
		error = cursor_skip_statement(cursor, name, line);
	} else if (option->type == CFGT_SEC) {
		error = read_section(reader, section, option, line);
	} else {
		error = config_assign(cursor, section, option, line);
	}
out:
	free(name);
	return error;
}

static int read_source(struct reader *reader, struct source *source, const char *text,
		       size_t length)
{
	struct cursor *cursor = &source->cursor;
	int error = source->path ? config_sources_add(reader->sources, source->path) : 0;

	if (!error)
		error = lexer_new(text, length, cursor->file, cursor->faults, &cursor->lexer);
	if (error)
		return error;
	reader->source = source;
	do {
		error = cursor_next(cursor);
		if (!error && cursor->token.kind == TOKEN_END)
			break;
		if (!error && token_is(&cursor->token, '}')) {
			cursor_complain(cursor, cursor->token.line, "this } closes nothing");
			error = -EINVAL;
		}
		if (!error)
			error = read_statement(reader, reader->tree);
	} while (!error);
	reader->source = source->outer;
	lexer_free(&cursor->lexer);
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
		     struct config_sources *sources)
{
	struct reader reader = {.tree = tree, .sources = sources, .files = 1};
	int error;

	cfg_set_error_function(tree, say_nothing);
	error = read_source(&reader, source, text, length);
	/* Blocks copy their parent's file name as they open: the tree's comes last. */
	if (!error) {
		tree->filename = strdup(source->cursor.file);
		error = tree->filename ? 0 : -ENOMEM;
	}
	return error;
}

int config_tree_read_file(cfg_t *tree, const char *path, struct faults *faults,
			  struct config_sources *sources)
{
	struct config_file file = {0};
	struct source source = {.path = path, .cursor = {.file = path, .faults = faults}};
	int error = config_file_load(path, &file);

	if (error == -ENOMEM)
		return error;
	if (error < 0) {
		fault_add(faults, FAULT_ERROR, path, 0, "cannot be read: %s", strerror(-error));
		return -EINVAL;
	}
	source.device = file.device;
	source.inode = file.inode;
	error = read_tree(tree, &source, file.text, file.length, sources);
	free(file.text);
	return error;
}

int config_tree_read_text(cfg_t *tree, const char *text, struct faults *faults,
			  struct config_sources *sources)
{
	struct source source = {.cursor = {.file = "-e", .faults = faults}};

	return read_tree(tree, &source, text, strlen(text), sources);
}
