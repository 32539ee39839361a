#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
	char *name;
	char *text; /* while it is written, the stream's */
	size_t length;
	struct file *next;
};

struct output {
	struct file *first, **end; /* in the order in which they were begun */
	FILE *stream;              /* of the last one, NULL where it is complete */
};

int output_new(struct output **ret)
{
	struct output *output = calloc(1, sizeof *output);

	if (!output)
		return -ENOMEM;
	output->end = &output->first;
	*ret = output;
	return 0;
}

/* Completes the last file. Returns 0 or -ENOMEM. */
static int complete(struct output *output)
{
	FILE *stream = output->stream;

	output->stream = NULL;
	return !stream || fclose(stream) == 0 ? 0 : -ENOMEM;
}

void output_free(struct output **output)
{
	struct file *file, *next;

	if (!*output)
		return;
	complete(*output);
	for (file = (*output)->first; file; file = next) {
		next = file->next;
		free(file->name);
		free(file->text);
		free(file);
	}
	free(*output);
	*output = NULL;
}

FILE *output_begin(struct output *output, const char *name)
{
	struct file *file;

	if (complete(output) < 0)
		return NULL;
	file = calloc(1, sizeof *file);
	if (!file)
		return NULL;
	*output->end = file;
	output->end = &file->next;
	file->name = strdup(name);
	if (file->name)
		output->stream = open_memstream(&file->text, &file->length);
	return output->stream;
}

int output_print(struct output *output, FILE *stream)
{
	int error = complete(output);

	for (const struct file *file = output->first; error == 0 && file; file = file->next) {
		fprintf(stream, "#### %s\n", file->name);
		fwrite(file->text, 1, file->length, stream);
	}
	if (error == 0 && (fflush(stream) != 0 || ferror(stream)))
		error = errno ? -errno : -EIO;
	return error;
}

static int find_existing(const struct output *output, int directory, const char **ret_name)
{
	struct stat st;

	for (const struct file *file = output->first; file; file = file->next)
		if (fstatat(directory, file->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
			*ret_name = file->name;
			return -EEXIST;
		}
	return 0;
}

static int write_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t done = write(fd, text, length);

		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			text += done;
			length -= (size_t)done;
		}
	}
	return 0;
}

/* A new file takes the place of an old one at once, or not at all. */
static int replace(int directory, const struct file *file)
{
	static const char temporary[] = ".adoptctl.new";
	int error = 0;
	int fd;

	unlinkat(directory, temporary, 0);
	fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	error = write_all(fd, file->text, file->length);
	if (close(fd) < 0 && error == 0)
		error = -errno;
	if (error == 0 && renameat(directory, temporary, directory, file->name) < 0)
		error = -errno;
	if (error < 0)
		unlinkat(directory, temporary, 0);
	return error;
}

static int write_files(const struct output *output, int directory, const char *path, FILE *report,
		       const char **ret_name)
{
	int error = 0;

	for (const struct file *file = output->first; error == 0 && file; file = file->next) {
		error = replace(directory, file);
		if (error < 0)
			*ret_name = file->name;
		else
			fprintf(report, "%s/%s\n", path, file->name);
	}
	return error;
}

int output_write(struct output *output, const char *directory, bool force, FILE *report,
		 char **ret_culprit)
{
	const char *name = NULL;
	int error = complete(output);
	int fd;

	if (error < 0)
		return error;
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		error = -errno;
	if (error == 0 && !force)
		error = find_existing(output, fd, &name);
	if (error == 0)
		error = write_files(output, fd, directory, report, &name);
	if (fd >= 0)
		close(fd);
	if (error < 0 &&
	    asprintf(ret_culprit, "%s%s%s", directory, name ? "/" : "", name ? name : "") < 0)
		*ret_culprit = NULL;
	return error;
}
