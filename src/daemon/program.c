#include "program.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Linux's name for the program of this process, wherever that has been moved to since. */
#define SELF "/proc/self/exe"

/* Joins a directory and a name. Returns malloc'ed text, NULL where memory is short. */
static char *join(const char *directory, size_t length, const char *name)
{
	size_t size = length + 1 + strlen(name) + 1;
	char *path = malloc(size);

	if (path)
		snprintf(path, size, "%.*s/%s", (int)length, directory, name);
	return path;
}

/* Returns the name as seen from the root, whatever directory adoptd changes to. */
static char *make_absolute(const char *name)
{
	char directory[PATH_MAX];

	if (name[0] == '/')
		return strdup(name);
	return getcwd(directory, sizeof directory) ? join(directory, strlen(directory), name)
						   : NULL;
}

/* Does what the shell did to find a name without a slash. */
static char *search(const char *name)
{
	const char *at = getenv("PATH");
	char *path = NULL;

	while (at && *at && !path) {
		size_t length = strcspn(at, ":");

		if (*at == '/')
			path = join(at, length, name);
		if (path && access(path, X_OK) < 0) {
			free(path);
			path = NULL;
		}
		at += length + (at[length] == ':');
	}
	return path;
}

static bool is_this_program(const char *path)
{
	struct stat named, self;

	return stat(SELF, &self) < 0 || (stat(path, &named) == 0 && named.st_dev == self.st_dev &&
					 named.st_ino == self.st_ino);
}

static char *ask_system(void)
{
	char path[PATH_MAX];
	ssize_t length = readlink(SELF, path, sizeof path - 1);

	if (length < 0)
		return NULL;
	path[length] = '\0';
	return strdup(path);
}

static char *find_path(const char *name)
{
	char *path = strchr(name, '/') ? make_absolute(name) : search(name);

	if (path && is_this_program(path))
		return path;
	free(path);
	return ask_system();
}

int program_remember(int argc, char *argv[], struct program *ret)
{
	struct program program = {.argv = calloc((size_t)argc + 1, sizeof *program.argv)};

	if (!program.argv)
		return -ENOMEM;
	memcpy(program.argv, argv, (size_t)argc * sizeof *argv);
	program.path = argc > 0 ? find_path(argv[0]) : ask_system();
	if (argc > 0 && program.path)
		program.argv[0] = program.path;
	*ret = program;
	return 0;
}

void program_done(struct program *program)
{
	free(program->path);
	free(program->argv);
	*program = (struct program){0};
}
