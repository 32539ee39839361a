#include "close_fds.h"

#include <limits.h>
#include <unistd.h>

/* What adoptd has opened itself is close-on-exec from birth. What somebody left open for it
 * without a word is below the limit that it was started with. */
static int count_descriptors(const struct rlimit *limit)
{
	return limit && limit->rlim_cur < INT_MAX ? (int)limit->rlim_cur : getdtablesize();
}

void close_fds(unsigned first, unsigned last, const struct rlimit *limit)
{
	int end;

#ifdef HAVE_CLOSE_RANGE
	if (close_range(first, last, 0) == 0)
		return;
#endif
	end = count_descriptors(limit);
	for (int fd = (int)first; fd < end && (unsigned)fd <= last; fd++)
		close(fd);
}
