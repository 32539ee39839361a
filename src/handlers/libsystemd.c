#include "libsystemd.h"

#include "support/library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct libsystemd functions;
static bool loaded;

static void load(void)
{
	void *library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return;
	loaded = true;
#define FIND(name) loaded = library_find(library, #name, &functions.name) && loaded;
	LIBSYSTEMD_FUNCTIONS(FIND)
#undef FIND
}

const struct libsystemd *libsystemd_load(void)
{
	pthread_once(&once, load);
	return loaded ? &functions : NULL;
}
