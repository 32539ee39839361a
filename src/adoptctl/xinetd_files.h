/* xinetd_files.h - the entries of an xinetd.conf and of what it includes */
#ifndef ADOPTCTL_XINETD_FILES_H
#define ADOPTCTL_XINETD_FILES_H

#include "service.h"
#include "xinetd_entry.h"

struct xinetd_files {
	struct faults *faults;
	struct words names; /* of the files; entries point into it */
	unsigned depth;     /* of the file that is being read */
	struct xinetd_entry *defaults;
	struct xinetd_entry *services[SERVICES_MAX];
	size_t count;
};

/*
 * Begins to collect.
 * ret: free it with xinetd_files_free().
 * Returns 0 or -ENOMEM.
 */
int xinetd_files_new(struct faults *faults, struct xinetd_files **ret);

/* Frees what was collected and sets it NULL; NULL inside is harmless. */
void xinetd_files_free(struct xinetd_files **files);

/*
 * Collects the entries of a file and of those that it includes. What is wrong is told
 * among the faults, and left out.
 * text, length: what is in the file.
 * name: what it is called, copied.
 * Returns 0 or -ENOMEM.
 */
int xinetd_files_read(struct xinetd_files *files, const char *text, size_t length,
		      const char *name);

#endif
