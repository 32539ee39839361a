/* blocks.h - services as port blocks, and the units that serve these */
#ifndef ADOPTCTL_BLOCKS_H
#define ADOPTCTL_BLOCKS_H

#include "service.h"
#include "support/fault.h"

/* The name of a socket unit is this and the block's. */
#define BLOCKS_UNIT_PREFIX "adoptd-import-"

/* A service unit: one for all of a kind, as long as they need the same of it. */
struct blocks_unit {
	char *name;                /* without its suffix */
	bool runs_programs;        /* which needs more rights than serving alone */
	const struct words *lines; /* a service's: for the section [Service] */
};

struct block {
	char *name;                      /* of the port and of its descriptors */
	char *body;                      /* what stands between the braces */
	struct words sources;            /* `FILE:LINE` of each service that is served by it */
	struct words streams, datagrams; /* the addresses */
	bool v4_mapped;
	const struct words *socket; /* a service's: lines for the section [Socket] */
	size_t unit;                /* the index of its unit */
};

struct blocks {
	struct block items[SERVICES_MAX];
	size_t count;
	struct blocks_unit units[SERVICES_MAX];
	size_t unit_count;
};

/*
 * Makes port blocks. Services that differ only in their addresses share one.
 * services: outlive the blocks.
 * faults: addresses that two services claim are told.
 * ret: free it with blocks_free().
 * Returns 0; -E2BIG for too many addresses; -ENOMEM.
 */
int blocks_new(const struct services *services, struct faults *faults, struct blocks **ret);

/* Frees blocks and sets them NULL; NULL inside is harmless. */
void blocks_free(struct blocks **blocks);

#endif
