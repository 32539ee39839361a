#include "libsystemd.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct libsystemd functions;
static bool loaded;

/* dlsym(3) gives pointers to functions as `void *`, of the same size on POSIX systems. */
static bool find(void *library, const char *name, void *ret)
{
	void *found = dlsym(library, name);

	memcpy(ret, &found, sizeof found);
	return found != NULL;
}

static void load(void)
{
	void *library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return;
	loaded = true;
#define FIND(name) loaded = find(library, #name, &functions.name) && loaded;
	LIBSYSTEMD_FUNCTIONS(FIND)
#undef FIND
}

const struct libsystemd *libsystemd_load(void)
{
	pthread_once(&once, load);
	return loaded ? &functions : NULL;
}
