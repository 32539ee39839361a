#include "libcares.h"

#include <pthread.h>
#include <stddef.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct libcares functions;
static bool loaded;

static void load(void)
{
	static const char *const names[] = {LIBCARES_FUNCTIONS(LIBRARY_NAME) NULL};

	loaded = library_load("libcares.so.2", names, &functions);
}

const struct libcares *libcares_load(void)
{
	pthread_once(&once, load);
	return loaded ? &functions : NULL;
}
