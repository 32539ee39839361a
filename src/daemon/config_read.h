/*
 * config_read.h - from the text of adoptd.conf to libconfuse's tree
 *
 * The tables, the values and their defaults are libconfuse's. Its parser is not
 * used: it reports a value at the end of its block, lets the last of two win,
 * accepts a block that is not closed, overflows on deep nesting and stops at the
 * first fault of meaning. So the reader here gives each value to the tree while
 * it stands on the value's line.
 */
#ifndef DAEMON_CONFIG_READ_H
#define DAEMON_CONFIG_READ_H

#include "config_files.h"
#include "support/fault.h"

#include <confuse.h>

/*
 * Reads a file and what it includes, or a text, into a tree of
 * config_tree_new(). What is wrong is added to the faults; what can be read is
 * read nonetheless.
 * path: the file; faults name it so.
 * text: NUL-terminated; faults name it `-e`.
 * sources: the files that are read, and where includes look for some, are added to it.
 * Return 0, also after faults of meaning; -EINVAL after a fault of syntax, or
 * where the file cannot be read: the tree is then not worth judging; -ENOMEM.
 */
int config_tree_read_file(cfg_t *tree, const char *path, struct faults *faults,
			  struct config_sources *sources);
int config_tree_read_text(cfg_t *tree, const char *text, struct faults *faults,
			  struct config_sources *sources);

#endif
