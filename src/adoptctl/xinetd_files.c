#include "xinetd_files.h"

#include "input.h"
#include "lines.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* As adoptd.conf's: more is a circle or a mistake. */
#define MAX_DEPTH 10
#define MAX_FILES 1000

/* One file that is being read. */
struct reader {
	struct xinetd_files *files;
	const char *name;
	struct lines lines;
	bool has_defaults;
	struct words words; /* of the latest line that holds any */
};

int xinetd_files_new(struct faults *faults, struct xinetd_files **ret)
{
	struct xinetd_files *files = calloc(1, sizeof *files);

	if (!files)
		return -ENOMEM;
	files->faults = faults;
	if (xinetd_entry_new(NULL, NULL, 0, &files->defaults) < 0) {
		free(files);
		return -ENOMEM;
	}
	*ret = files;
	return 0;
}

void xinetd_files_free(struct xinetd_files **files)
{
	if (!*files)
		return;
	for (size_t i = 0; i < (*files)->count; i++)
		xinetd_entry_free(&(*files)->services[i]);
	xinetd_entry_free(&(*files)->defaults);
	words_done(&(*files)->names);
	free(*files);
	*files = NULL;
}

static void complain(const struct reader *reader, const char *what)
{
	fault_add(reader->files->faults, FAULT_ERROR, reader->name, reader->lines.number, "%s",
		  what);
}

/* Reads the words of the next line that holds any. Returns 1; 0 at the end; -ENOMEM. */
static int next_words(struct reader *reader)
{
	struct line line;
	int error;

	while (lines_next(&reader->lines, &line)) {
		char first = line_first(&line);

		if (first == '#' || first == '\0')
			continue;
		words_done(&reader->words);
		error = words_split(&reader->words, line.text, line.length, false);
		if (error == -ENOMEM)
			return error;
		if (error == -E2BIG)
			complain(reader, "this line has too many words; the rest is left out");
		return 1;
	}
	return 0;
}

static bool is_alone(const struct reader *reader, const char *word)
{
	return reader->words.count == 1 && strcmp(reader->words.items[0], word) == 0;
}

/* Skips what is left of a broken entry. Returns 0 or -ENOMEM. */
static int skip_entry(struct reader *reader)
{
	int got;

	do
		got = next_words(reader);
	while (got > 0 && !is_alone(reader, "}"));
	return got < 0 ? got : 0;
}

/* Reads the operator at the start of a word. Returns how long it is, 0 for none. */
static size_t read_operator(const char *word, enum xinetd_assignment *ret)
{
	if (word[0] == '=') {
		*ret = XINETD_SET;
		return 1;
	}
	if ((word[0] != '+' && word[0] != '-') || word[1] != '=')
		return 0;
	*ret = word[0] == '+' ? XINETD_ADD : XINETD_REMOVE;
	return 2;
}

/* Takes `NAME OP VALUE...` apart. Returns 0; -EINVAL; -ENOMEM. */
static int read_assignment(struct reader *reader, struct xinetd_entry *entry,
			   const struct xinetd_entry *defaults)
{
	struct xinetd_place place = {reader->name, reader->lines.number, reader->files->faults};
	const struct words *words = &reader->words;
	struct words values = {0};
	enum xinetd_assignment how;
	size_t length = words->count < 2 ? 0 : read_operator(words->items[1], &how);
	int error = 0;

	if (length == 0 || strchr(words->items[0], '=')) {
		complain(reader, "this is not NAME = VALUE with blanks around the =");
		return -EINVAL;
	}
	if (words->items[1][length])
		error = words_add(&values, words->items[1] + length);
	for (size_t i = 2; error == 0 && i < words->count; i++)
		error = words_add(&values, words->items[i]);
	if (error == 0)
		error = xinetd_entry_assign(entry, defaults, words->items[0], how, &values, &place);
	words_done(&values);
	if (error != -E2BIG)
		return error;
	complain(reader, "these are too many values");
	return -EINVAL;
}

/* Reads what stands between the braces. Returns 0; -EINVAL, which has been told, with
 * the entry skipped; -ENOMEM. */
static int read_body(struct reader *reader, struct xinetd_entry *entry,
		     const struct xinetd_entry *defaults)
{
	int error = 0, got = next_words(reader);

	if (got > 0 && !is_alone(reader, "{")) {
		complain(reader, "a { is missing, alone on the line behind its entry");
		error = -EINVAL;
	}
	while (error == 0 && got > 0 && (got = next_words(reader)) > 0 && !is_alone(reader, "}"))
		error = read_assignment(reader, entry, defaults);
	if (error == -EINVAL && !is_alone(reader, "}"))
		got = skip_entry(reader);
	else if (error == 0 && got == 0) {
		complain(reader, "the file ends within an entry: a } is missing");
		error = -EINVAL;
	}
	return got < 0 ? got : error;
}

static int read_service(struct reader *reader)
{
	struct xinetd_files *files = reader->files;
	struct xinetd_entry *entry = NULL;
	int error;

	if (reader->words.count < 2) {
		complain(reader, "the service has no name");
		return skip_entry(reader);
	}
	error = xinetd_entry_new(reader->words.items[1], reader->name, reader->lines.number,
				 &entry);
	if (error < 0)
		return error;
	error = read_body(reader, entry, files->defaults);
	if (error == -EINVAL) {
		fault_add(files->faults, FAULT_ERROR, entry->file, entry->line,
			  "the service \"%s\" is left out", entry->name);
	} else if (error == 0 && files->count == SERVICES_MAX) {
		complain(reader, "this service is left out: there are too many");
	} else if (error == 0) {
		files->services[files->count++] = entry;
		return 0;
	}
	xinetd_entry_free(&entry);
	return error == -EINVAL ? 0 : error;
}

static int read_defaults(struct reader *reader)
{
	int error;

	if (reader->has_defaults) {
		complain(reader, "these are the second defaults of the file; xinetd ignores them");
		return skip_entry(reader);
	}
	error = read_body(reader, reader->files->defaults, NULL);
	reader->has_defaults = error == 0;
	return error == -EINVAL ? 0 : error;
}

static int include(struct reader *reader, const char *path)
{
	char *text = NULL;
	size_t length;
	int error = 0;

	if (reader->files->depth == MAX_DEPTH || reader->files->names.count == MAX_FILES) {
		complain(reader, "includes are too deep, or too many; this one is left out");
		return 0;
	}
	error = input_load(path, &text, &length);
	if (error < 0) {
		fault_add(reader->files->faults, FAULT_ERROR, reader->name, reader->lines.number,
			  "cannot read \"%s\": %s", path, input_problem(error));
		return error == -ENOMEM ? error : 0;
	}
	error = xinetd_files_read(reader->files, text, length, path);
	free(text);
	return error;
}

/* What editors and package managers leave behind is not configuration: xinetd.conf(5). */
static int is_included(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 0 && !strchr(entry->d_name, '.') && entry->d_name[length - 1] != '~';
}

static int include_entry(struct reader *reader, const char *directory, const char *name)
{
	struct words path = {0};
	struct stat st;
	int error = words_print(&path, "%s/%s", directory, name);

	/* xinetd skips what is no file, and so do we; what cannot be read is told. */
	if (error == 0 && (stat(path.items[0], &st) < 0 || S_ISREG(st.st_mode)))
		error = include(reader, path.items[0]);
	words_done(&path);
	return error;
}

static int include_directory(struct reader *reader, const char *path)
{
	struct dirent **found = NULL;
	int count = scandir(path, &found, is_included, alphasort);
	int error = 0;

	if (count < 0) {
		fault_add(reader->files->faults, FAULT_ERROR, reader->name, reader->lines.number,
			  "cannot read \"%s\": %s", path, strerror(errno));
		return 0;
	}
	for (int i = 0; i < count; i++) {
		if (error == 0)
			error = include_entry(reader, path, found[i]->d_name);
		free(found[i]);
	}
	free(found);
	return error;
}

static int read_include(struct reader *reader, bool directory)
{
	const char *path;

	if (reader->words.count < 2) {
		complain(reader, "the include has no path");
		return 0;
	}
	path = reader->words.items[1];
	return directory ? include_directory(reader, path) : include(reader, path);
}

static int read_entry(struct reader *reader)
{
	const char *keyword = reader->words.items[0];

	if (strcmp(keyword, "service") == 0)
		return read_service(reader);
	if (strcmp(keyword, "defaults") == 0)
		return read_defaults(reader);
	if (strcmp(keyword, "include") == 0)
		return read_include(reader, false);
	if (strcmp(keyword, "includedir") == 0)
		return read_include(reader, true);
	complain(reader, "an entry begins with service, defaults, include or includedir");
	return skip_entry(reader);
}

int xinetd_files_read(struct xinetd_files *files, const char *text, size_t length, const char *name)
{
	struct reader reader = {.files = files, .lines = {.at = text, .end = text + length}};
	int error = words_add(&files->names, name);
	int got = 1;

	if (error < 0)
		return error;
	reader.name = files->names.items[files->names.count - 1];
	files->depth++;
	while (error == 0 && got > 0) {
		got = next_words(&reader);
		if (got > 0)
			error = read_entry(&reader);
	}
	files->depth--;
	words_done(&reader.words);
	return got < 0 ? got : error;
}
