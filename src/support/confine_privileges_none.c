/* Where there is neither PR_SET_NO_NEW_PRIVS nor capset(2). */
#include "confine.h"

#include <errno.h>

bool confine_known(void)
{
	return false;
}

int confine_privileges(void)
{
	return -ENOSYS;
}

int confine_capabilities(unsigned needs)
{
	(void)needs;
	return -ENOSYS;
}
