#include "descriptor_limit.h"

#include "log.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static struct rlimit before;
static bool raised;

/* A thousand descriptors, the usual soft limit, is for programs that use select(). */
void descriptor_limit_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
		return;
	before = limit;
	limit.rlim_cur = limit.rlim_max;
	raised = setrlimit(RLIMIT_NOFILE, &limit) == 0;
	if (!raised)
		log_debug("the descriptor limit stays: %s", strerror(errno));
}

const struct rlimit *descriptor_limit_before(void)
{
	return raised ? &before : NULL;
}
