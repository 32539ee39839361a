/* file.h - whole files in memory, up to a bound */
#ifndef SUPPORT_FILE_H
#define SUPPORT_FILE_H

#include <stddef.h>

/*
 * Reads a descriptor up to its end.
 * fd: the caller's, left open.
 * max_bytes: what is longer is refused, without reading all of it.
 * ret: malloc'ed, the caller's, not NUL-terminated; never NULL.
 * Returns 0; -EFBIG past max_bytes; -ENOMEM; what read() said.
 */
int file_read(int fd, size_t max_bytes, char **ret, size_t *ret_length);

#endif
