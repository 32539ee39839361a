/*
 * config_table.h - which options and blocks adoptd.conf has
 *
 * To build an option of SPEC that is refused so far, move its name from a list
 * of the unsupported to the table beside it.
 */
#ifndef DAEMON_CONFIG_TABLE_H
#define DAEMON_CONFIG_TABLE_H

#include <confuse.h>
#include <stdbool.h>

/*
 * Creates the tree that a configuration is read into, with all defaults; each
 * handler is a block in `port`.
 * ret: free it with cfg_free().
 * Returns 0 or -ENOMEM.
 */
int config_tree_new(cfg_t **ret);

/* Tells whether memory was short for libconfuse 3.3, which may go on without a default
 * then, and without a word. Before the call: errno = 0. */
bool config_lacked_memory(void);

/* A flag of a section in whose text a block was refused: it lacks nothing else.
 * libconfuse's own meaning of the flag is near enough not to get in the way. */
#define CONFIG_BLOCK_REFUSED CFGF_IGNORE_UNKNOWN

/* Tells whether a block of this name bears a title: port "web" { }. */
bool config_block_titled(const char *name);

/* Tells whether a name of SPEC is refused in a section as not built yet. */
bool config_unsupported(const cfg_t *section, const char *name);

/*
 * Finds what a mistyped name in a section was probably meant to be.
 * Returns a static string or one of the tree's, or NULL where nothing is near.
 */
const char *config_suggest(const cfg_t *section, const char *name);

#endif
