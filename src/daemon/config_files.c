#include "config_files.h"

#include "support/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WILDCARDS "*?["

int config_file_load(const char *path, struct config_file *ret)
{
	struct config_file file;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		error = -errno;
	if (!error)
		error = file_read(fd, CONFIG_FILE_MAX_BYTES, &file.text, &file.length);
	close(fd);
	if (error < 0)
		return error;
	file.device = st.st_dev;
	file.inode = st.st_ino;
	*ret = file;
	return 0;
}

static bool has_wildcard(const char *pattern)
{
	return strpbrk(pattern, WILDCARDS) != NULL;
}

/*
 * Puts the including file's directory before a relative pattern.
 * escape: the directory's own wildcards are to mean themselves.
 */
static char *join(const char *including, const char *pattern, bool escape)
{
	const char *slash = including && pattern[0] != '/' ? strrchr(including, '/') : NULL;
	size_t directory_length = slash ? (size_t)(slash + 1 - including) : 0;
	char *path = malloc(2 * directory_length + strlen(pattern) + 1);
	size_t used = 0;

	for (size_t i = 0; path && i < directory_length; i++) {
		if (escape && strchr("*?[\\", including[i]))
			path[used++] = '\\';
		path[used++] = including[i];
	}
	if (path)
		strcpy(path + used, pattern);
	return path;
}

static int list_one(char *path, char ***ret)
{
	char **paths = calloc(2, sizeof *paths);

	if (!paths)
		return -ENOMEM;
	paths[0] = path;
	*ret = paths;
	return 0;
}

/* glob() goes on where a directory is not there, and ends where one is closed to us. */
static int unreadable(const char *path, int error)
{
	(void)path;
	return error != ENOENT && error != ENOTDIR;
}

static int list_matches(const char *pattern, char ***ret)
{
	glob_t found;
	char **paths = NULL;
	int error = 0;
	int result = glob(pattern, 0, unreadable, &found);

	if (result == GLOB_ABORTED)
		error = errno ? -errno : -EIO;
	else if (result == GLOB_NOSPACE)
		error = -ENOMEM;
	if (!error) {
		size_t count = result == 0 ? found.gl_pathc : 0;

		paths = calloc(count + 1, sizeof *paths);
		error = paths ? 0 : -ENOMEM;
		for (size_t i = 0; !error && i < count; i++) {
			paths[i] = strdup(found.gl_pathv[i]);
			error = paths[i] ? 0 : -ENOMEM;
		}
	}
	globfree(&found);
	if (error)
		config_paths_free(&paths);
	else
		*ret = paths;
	return error;
}

int config_paths_find(const char *pattern, const char *including, char ***ret)
{
	bool wildcard = has_wildcard(pattern);
	char *path = join(including, pattern, wildcard);
	int error;

	if (!path)
		return -ENOMEM;
	if (!wildcard) {
		error = list_one(path, ret);
		if (error)
			free(path);
		return error;
	}
	error = list_matches(path, ret);
	free(path);
	return error;
}

void config_paths_free(char ***paths)
{
	for (char **path = *paths; path && *path; path++)
		free(*path);
	free(*paths);
	*paths = NULL;
}

int config_sources_add(struct config_sources *sources, const char *path)
{
	char **paths = realloc(sources->paths, (sources->count + 1) * sizeof *paths);

	if (!paths)
		return -ENOMEM;
	sources->paths = paths;
	paths[sources->count] = strdup(path);
	if (!paths[sources->count])
		return -ENOMEM;
	sources->count++;
	return 0;
}

int config_sources_add_search(struct config_sources *sources, const char *pattern,
			      const char *including)
{
	size_t wildcard = strcspn(pattern, WILDCARDS);
	char *path;
	int error;

	if (!pattern[wildcard])
		return 0;
	path = join(including, pattern, false);
	if (!path)
		return -ENOMEM;
	path[strlen(path) - strlen(pattern) + wildcard + 1] = '\0';
	error = config_sources_add(sources, path);
	free(path);
	return error;
}

void config_sources_done(struct config_sources *sources)
{
	for (size_t i = 0; i < sources->count; i++)
		free(sources->paths[i]);
	free(sources->paths);
	*sources = (struct config_sources){0};
}
