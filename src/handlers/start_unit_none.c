/* Where adoptd is built without libsystemd. */
#include "start_unit.h"

#include <errno.h>

const char *start_unit_judge(const char *unit)
{
	(void)unit;
	return "adoptd was built without libsystemd, and so cannot start it";
}

int start_unit_prepare(void)
{
	return -ENOSYS;
}

int start_unit_new(struct adopt_reactor *reactor, const char *unit,
		   struct start_unit_memory *memory, struct start_unit **ret)
{
	(void)reactor;
	(void)unit;
	(void)memory;
	(void)ret;
	return -ENOSYS;
}

void start_unit_free(struct start_unit **start)
{
	*start = NULL;
}

void start_unit_needed(struct start_unit *start)
{
	(void)start;
}

void start_unit_served(struct start_unit *start)
{
	(void)start;
}

void start_unit_missed(struct start_unit *start)
{
	(void)start;
}

void start_unit_stop(struct start_unit *start)
{
	(void)start;
}
