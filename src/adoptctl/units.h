/* units.h - the units for systemd that an import makes */
#ifndef ADOPTCTL_UNITS_H
#define ADOPTCTL_UNITS_H

#include "blocks.h"
#include "output.h"

/* What the units start. */
struct units_target {
	const char *program; /* adoptd: an absolute path */
	const char *config;  /* the absolute path that adoptd.conf will have */
};

/* Writes a socket unit for each block, and the service units. Returns 0 or -ENOMEM. */
int units_write(const struct blocks *blocks, const struct units_target *target,
		struct output *output);

#endif
