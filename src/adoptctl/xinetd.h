/* xinetd.h - the configuration of xinetd(8): xinetd.conf(5) */
#ifndef ADOPTCTL_XINETD_H
#define ADOPTCTL_XINETD_H

#include "names.h"
#include "service.h"
#include "support/fault.h"

/*
 * Adds the services of an xinetd.conf, and of what it includes, to a list.
 * text, length: what is in it.
 * file: what it is called, for the faults. As with xinetd, the paths that it includes
 * are relative to the working directory.
 * faults: what is wrong, as errors; what has no counterpart and what xinetd itself
 * ignores, as warnings.
 * Returns 0, also where something was left out; -ENOMEM.
 */
int xinetd_read(const char *text, size_t length, const char *file, const struct names *names,
		struct faults *faults, struct services *services);

#endif
