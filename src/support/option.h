/*
 * option.h - one option of a configuration block, with the line it stands on
 *
 * For those who read a block (a handler's settings_new): durations, sizes and
 * numbers are declared as CFG_STR with a textual default and read with these;
 * what is wrong becomes an error among the faults at the option's own line.
 */
#ifndef SUPPORT_OPTION_H
#define SUPPORT_OPTION_H

#include "fault.h"

#include <confuse.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Tell the line, and the file, that an option is written on; the block's where
 * it is left out. The file is the section's, valid as long as it.
 */
int option_line(cfg_t *section, const char *name);
const char *option_file(cfg_t *section, const char *name);

/*
 * Remembers where an option is written. For whoever reads the file.
 * Returns 0 or -ENOMEM.
 */
int option_set_place(cfg_t *section, const char *name, const char *file, int line);

/*
 * Adds an error at an option's file and line; `NAME: ` is put before it.
 * format: as fault_add()'s.
 */
void option_fault(cfg_t *section, const char *name, struct faults *faults, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Adds a warning in the same way. */
void option_warn(cfg_t *section, const char *name, struct faults *faults, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Read an option that was declared as CFG_STR and is set or has a default.
 * ret: the value, in milliseconds, in bytes, or as it is; from min to max.
 * Return 0; -EINVAL where a fault was added.
 */
int option_duration(cfg_t *section, const char *name, struct faults *faults, uint64_t *ret_ms);
int option_size(cfg_t *section, const char *name, size_t min, size_t max, struct faults *faults,
		size_t *ret_bytes);
int option_number(cfg_t *section, const char *name, uint64_t min, uint64_t max,
		  struct faults *faults, uint64_t *ret);

/* Adds the fault of an option that is none of several words, NULL-terminated: with what
 * was probably meant, or with all of them. */
void option_refuse_word(cfg_t *section, const char *name, const char *const *words,
			struct faults *faults);

/*
 * Reads an option that is one of several words.
 * words: NULL-terminated.
 * ret: which of them.
 * Returns 0; -EINVAL where a fault was added.
 */
int option_word(cfg_t *section, const char *name, const char *const *words, struct faults *faults,
		size_t *ret);

#endif
