#include "input.h"

#include "support/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int load(int fd, char **ret, size_t *ret_length)
{
	char *text = NULL;
	size_t length = 0;
	int error = file_read(fd, INPUT_MAX_BYTES, &text, &length);

	if (error < 0)
		return error;
	if (memchr(text, '\0', length)) {
		free(text);
		return -EILSEQ;
	}
	*ret = text;
	*ret_length = length;
	return 0;
}

int input_load(const char *path, char **ret, size_t *ret_length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int error;

	if (fd < 0)
		return -errno;
	error = load(fd, ret, ret_length);
	close(fd);
	return error;
}

int input_load_stdin(char **ret, size_t *ret_length)
{
	return load(STDIN_FILENO, ret, ret_length);
}

const char *input_problem(int error)
{
	switch (error) {
	case -EFBIG:
		return "it is larger than 1 MiB";
	case -EILSEQ:
		return "it holds NUL bytes, so it is no configuration";
	default:
		return strerror(-error);
	}
}
