#include "library.h"

#include <dlfcn.h>
#include <string.h>

/* dlsym(3) gives pointers to functions as `void *`, of the same size on POSIX systems. */
bool library_load(const char *file, const char *const names[], void *ret)
{
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	unsigned char *to = ret;

	if (!library)
		return false;
	for (; *names; names++) {
		void *found = dlsym(library, *names);

		if (!found)
			return false;
		memcpy(to, &found, sizeof found);
		to += sizeof found;
	}
	return true;
}
