/* inetd.h - the configuration of inetd(8), in the dialects of the BSDs, GNU and Debian */
#ifndef ADOPTCTL_INETD_H
#define ADOPTCTL_INETD_H

#include "names.h"
#include "service.h"
#include "support/fault.h"

/*
 * Adds the services of an inetd.conf to a list.
 * text, length: what is in it.
 * file: what it is called, for the faults.
 * faults: what is wrong, as errors, and what has no counterpart, as warnings.
 * Returns 0, also where a line was left out; -ENOMEM.
 */
int inetd_read(const char *text, size_t length, const char *file, const struct names *names,
	       struct faults *faults, struct services *services);

#endif
