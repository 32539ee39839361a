#include "libsystemd.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct libsystemd functions;
static bool loaded;

static void load(void)
{
	static const char *const names[] = {LIBSYSTEMD_FUNCTIONS(LIBRARY_NAME) NULL};

	loaded = library_load("libsystemd.so.0", names, &functions) == 0;
}

const struct libsystemd *libsystemd_load(void)
{
	pthread_once(&once, load);
	return loaded ? &functions : NULL;
}
