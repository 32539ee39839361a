/* Where the system's headers know no Landlock. */
#include "confine.h"

#include <errno.h>

int confine_files(unsigned needs, const struct confine_path *paths, size_t count)
{
	(void)needs;
	(void)paths;
	(void)count;
	return -ENOSYS;
}
