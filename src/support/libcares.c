#include "libcares.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct libcares functions;
static bool loaded;

int libcares_load(const struct libcares **ret)
{
	static const char *const names[] = {LIBCARES_FUNCTIONS(LIBRARY_NAME) NULL};
	int error = 0;

	pthread_mutex_lock(&lock);
	if (!loaded)
		error = library_load("libcares.so.2", names, &functions);
	if (error == 0)
		loaded = true;
	pthread_mutex_unlock(&lock);
	if (error == 0)
		*ret = &functions;
	return error;
}
