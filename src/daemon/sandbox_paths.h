/* sandbox_paths.h - what of the file system a setup needs */
#ifndef DAEMON_SANDBOX_PATHS_H
#define DAEMON_SANDBOX_PATHS_H

#include "sandbox.h"
#include "support/confine.h"

/* Initialize with zeros. */
struct sandbox_paths {
	struct confine_path *items; /* each path is malloc'ed */
	size_t count;
};

/*
 * Finds the places: of the configuration's files, of the sockets that have a path, and of
 * what the C library and the resolver read.
 * ret: free with sandbox_paths_done(), on failure too.
 * Returns 0 or -ENOMEM.
 */
int sandbox_paths_find(const struct sandbox_order *order, struct sandbox_paths *ret);

/* Tells whether a socket of the setup has a path. */
bool sandbox_paths_of_sockets(const struct sandbox_order *order);

/* Frees what was found. */
void sandbox_paths_done(struct sandbox_paths *paths);

#endif
