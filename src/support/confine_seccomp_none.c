/* Where there was no libseccomp when adoptd was built, or it was built for another machine. */
#include "confine.h"

#include <errno.h>

int confine_calls(unsigned needs)
{
	(void)needs;
	return -ENOSYS;
}
