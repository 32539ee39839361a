#include "file.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int file_read(int fd, size_t max_bytes, char **ret, size_t *ret_length)
{
	size_t capacity = 0, length = 0;
	char *text = NULL;
	int error = 0;
	ssize_t got;

	/* One byte more than is allowed tells that there is more. */
	do {
		if (length == capacity) {
			char *larger = realloc(text, 2 * capacity + 4096);

			if (!larger) {
				free(text);
				return -ENOMEM;
			}
			text = larger;
			capacity = 2 * capacity + 4096;
		}
		got = read(fd, text + length, capacity - length);
		if (got > 0)
			length += (size_t)got;
	} while (length <= max_bytes && (got > 0 || (got < 0 && errno == EINTR)));

	if (length > max_bytes)
		error = -EFBIG;
	else if (got < 0)
		error = -errno;
	if (error < 0) {
		free(text);
		return error;
	}
	*ret = text;
	*ret_length = length;
	return 0;
}
