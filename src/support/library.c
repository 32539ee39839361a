#include "library.h"

#include <dlfcn.h>
#include <string.h>

/* dlsym(3) gives pointers to functions as `void *`, of the same size on POSIX systems. */
bool library_find(void *library, const char *name, void *ret)
{
	void *found = dlsym(library, name);

	memcpy(ret, &found, sizeof found);
	return found != NULL;
}
