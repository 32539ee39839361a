#include "libseccomp.h"

#include "library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>

int libseccomp_load(struct libseccomp *ret)
{
	void *library = dlopen("libseccomp.so.2", RTLD_NOW | RTLD_LOCAL);
	struct libseccomp functions;
	bool found = true;

	if (!library)
		return -ELIBACC;
#define FIND(name) found = library_find(library, #name, &functions.name) && found;
	LIBSECCOMP_FUNCTIONS(FIND)
#undef FIND
	if (!found) {
		dlclose(library);
		return -ELIBACC;
	}
	*ret = functions;
	return 0;
}
