/* inetd_entry.h - one entry of inetd.conf */
#ifndef ADOPTCTL_INETD_ENTRY_H
#define ADOPTCTL_INETD_ENTRY_H

#include "names.h"
#include "service.h"
#include "support/fault.h"

struct inetd_entry {
	const char *file;
	const struct names *names;
	struct faults *faults;
	char *default_hosts; /* of the latest `HOSTS:` line; NULL for all addresses */
	int line;            /* where the entry begins */
	struct words words;  /* at least one */
	bool broken;         /* a line of it could not be read, which has been told */
};

/*
 * Makes the service that an entry describes.
 * ret: free it with service_free(); untouched for a line that sets the default hosts,
 * and for what was left out, which is told among the faults.
 * Returns 0; -EINVAL where it was left out for a fault; -E2BIG; -ENOMEM.
 */
int inetd_entry_read(struct inetd_entry *entry, struct service **ret);

#endif
