/* input.h - the files that are imported */
#ifndef ADOPTCTL_INPUT_H
#define ADOPTCTL_INPUT_H

#include <stddef.h>

/* Larger files are hardly a configuration. */
#define INPUT_MAX_BYTES ((size_t)1 << 20)

/*
 * Reads a file.
 * ret: malloc'ed, the caller's; without a NUL byte, and not NUL-terminated.
 * Returns 0; -EFBIG past INPUT_MAX_BYTES; -EILSEQ where it holds NUL bytes; -ENOMEM;
 * what open() or read() said.
 */
int input_load(const char *path, char **ret, size_t *ret_length);

/* Reads standard input. Otherwise as input_load(). */
int input_load_stdin(char **ret, size_t *ret_length);

/* Returns what is wrong, for a person; valid until the next call. */
const char *input_problem(int error);

#endif
