#include "library.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

/* dlopen(3) tells no error by number, but malloc(3) and mmap(2), which it calls, do. */
static int why_not_opened(void)
{
	return errno == ENOMEM ? -ENOMEM : -ENOSYS;
}

/* dlsym(3) gives pointers to functions as `void *`, of the same size on POSIX systems. */
int library_load(const char *file, const char *const names[], void *ret)
{
	unsigned char *to = ret;
	void *library;

	errno = 0;
	library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return why_not_opened();
	for (; *names; names++) {
		void *found = dlsym(library, *names);

		if (!found)
			return -ENOSYS;
		memcpy(to, &found, sizeof found);
		to += sizeof found;
	}
	return 0;
}
