#include "confine_filters.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/prctl.h>

int confine_calls(unsigned needs)
{
	const struct confine_filter *filter = &confine_filters[needs];
	/* The kernel only reads it. */
	struct sock_fprog program = {.len = filter->count,
				     .filter = (struct sock_filter *)(uintptr_t)filter->steps};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
}
