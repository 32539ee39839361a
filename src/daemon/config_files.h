/* config_files.h - the files that a configuration is read from */
#ifndef DAEMON_CONFIG_FILES_H
#define DAEMON_CONFIG_FILES_H

#include <stddef.h>
#include <sys/types.h>

/* Larger files are refused: they are hardly a configuration. */
#define CONFIG_FILE_MAX_BYTES ((size_t)1 << 20)

/* A file's content, and what tells it from other files. */
struct config_file {
	char *text; /* malloc'ed, not NUL-terminated */
	size_t length;
	dev_t device;
	ino_t inode;
};

/*
 * Reads a whole file.
 * ret: the caller's; free ret->text.
 * Returns 0; -EFBIG past CONFIG_FILE_MAX_BYTES; -ENOMEM; what open(), fstat()
 * or read() said.
 */
int config_file_load(const char *path, struct config_file *ret);

/*
 * Finds the files that an include means.
 * pattern: as in glob(7); without a wildcard it means one file, there or not.
 * including: the path of the file that includes; a relative pattern is relative
 * to its directory. NULL for the working directory.
 * ret: sorted paths, NULL-terminated; free with config_paths_free().
 * Returns 0; -ENOMEM; the negative errno of a directory that cannot be read.
 */
int config_paths_find(const char *pattern, const char *including, char ***ret);

/* Frees what config_paths_find() found and sets it NULL; NULL inside is harmless. */
void config_paths_free(char ***paths);

/* What a configuration is made of. Initialize with zeros. */
struct config_sources {
	char **paths; /* of files, there or to be looked for beside; each malloc'ed */
	size_t count;
};

/* Adds a file. Returns 0 or -ENOMEM. */
int config_sources_add(struct config_sources *sources, const char *path);

/*
 * Adds a path in the directory where the search for an include's files begins; nothing where
 * the pattern has no wildcard, as that is a file.
 * pattern, including: as config_paths_find() takes them.
 * Returns 0 or -ENOMEM.
 */
int config_sources_add_search(struct config_sources *sources, const char *pattern,
			      const char *including);

/* Frees the paths. */
void config_sources_done(struct config_sources *sources);

#endif
