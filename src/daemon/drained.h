/* drained.h - the port blocks that accept no more until somebody says otherwise */
#ifndef DAEMON_DRAINED_H
#define DAEMON_DRAINED_H

#include "config.h"

/* Names of port blocks, each once. Initialize with zeros. */
struct drained {
	char **names;
	size_t count;
};

/* Tells whether a block is among them. */
bool drained_has(const struct drained *drained, const char *name);

/* Add and remove a block; both are harmless twice. The first returns 0 or -ENOMEM. */
int drained_add(struct drained *drained, const char *name);
void drained_remove(struct drained *drained, const char *name);

/* Removes those that a configuration does not have. */
void drained_keep(struct drained *drained, const struct config *config);

/* Removes all. */
void drained_done(struct drained *drained);

#endif
