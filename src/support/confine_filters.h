/* confine_filters.h - a filter of system calls for each set of needs, compiled beforehand */
#ifndef SUPPORT_CONFINE_FILTERS_H
#define SUPPORT_CONFINE_FILTERS_H

#include "confine.h"

#include <linux/filter.h>

/* So many sets there are of enum confine_need. */
#define CONFINE_FILTERS (2 * CONFINE_PROGRAMS)

struct confine_filter {
	const struct sock_filter *steps; /* bpf, as seccomp(2) takes it */
	unsigned short count;
};

/* By the set of needs. What confine_compile.c wrote, for the machine that it ran on. */
extern const struct confine_filter confine_filters[CONFINE_FILTERS];

#endif
