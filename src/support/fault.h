/* fault.h - everything that is wrong with a configuration, reported in one run */
#ifndef SUPPORT_FAULT_H
#define SUPPORT_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum fault_severity {
	FAULT_WARNING, /* works, but is hardly what was meant */
	FAULT_ERROR,   /* cannot be run */
};

struct faults;

/* Creates an empty collection. ret: free it with faults_free(). Returns 0 or -ENOMEM. */
int faults_new(struct faults **ret);

/* Frees a collection and sets it to NULL; NULL inside is harmless. */
void faults_free(struct faults **faults);

/*
 * Adds a fault. Where memory is short the fault is still counted.
 * file: where it stands, copied; NULL where no file is to blame.
 * line: counted from 1; 0 where no line is to blame.
 * format: what is wrong, and what would be right, in one sentence without a
 * full stop or a line feed.
 */
void fault_add(struct faults *faults, enum fault_severity severity, const char *file, int line,
	       const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Returns how many faults of a severity there are. */
size_t faults_count(const struct faults *faults, enum fault_severity severity);

/*
 * Tells whether the configuration can be run: no errors, and where `strict` no
 * warnings either.
 */
bool faults_acceptable(const struct faults *faults, bool strict);

/* Calls `report` for each fault as `FILE:LINE: message`, ordered by file as first
 * seen, then line; a warning's message begins with `warning: `. Last comes that there are
 * more, where memory was short for them. */
void faults_report(const struct faults *faults,
		   void (*report)(void *context, enum fault_severity severity, const char *text),
		   void *context);

/* Prints each fault on a line of its own. */
void faults_print(const struct faults *faults, FILE *stream);

#endif
