/* output.h - the files that an import makes, until all of them are complete */
#ifndef ADOPTCTL_OUTPUT_H
#define ADOPTCTL_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

struct output;

/* Makes an empty collection. ret: free it with output_free(). Returns 0 or -ENOMEM. */
int output_new(struct output **ret);

/* Frees what was collected and sets it NULL; NULL inside is harmless. */
void output_free(struct output **output);

/*
 * Begins a file.
 * name: without a directory; copied.
 * Returns what its text is to be written to, until the next call; NULL without memory.
 */
FILE *output_begin(struct output *output, const char *name);

/*
 * Writes all files one behind the other, a line `#### NAME` before each.
 * Returns 0; -ENOMEM; what the system said.
 */
int output_print(struct output *output, FILE *stream);

/*
 * Writes all files into a directory. None is touched where one of them may not be.
 * force: replace those that are there.
 * report: where the path of each is printed.
 * ret_culprit: on failure, the path that is to blame, or NULL; malloc'ed.
 * Returns 0; -EEXIST where one is there; -ENOMEM; what the system said.
 */
int output_write(struct output *output, const char *directory, bool force, FILE *report,
		 char **ret_culprit);

#endif
