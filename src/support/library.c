#include "library.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

/* dlopen(3) tells errors in words alone. Of its own memory malloc(3) has set errno, but what
 * else the system refuses it, mmap(2) for one, the C library may keep to itself. */
static int why_not_opened(void)
{
	return errno == ENOMEM ? -ENOMEM : -ENOSYS;
}

/* dlsym(3) gives pointers to functions as `void *`, of the same size on POSIX systems. */
static int load(const char *file, const char *const names[], void *functions)
{
	unsigned char *to = functions;
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

int library_load_once(struct library *library, const char *file, const char *const names[],
		      void *functions)
{
	int error = 0;

	pthread_mutex_lock(&library->lock);
	if (!library->loaded)
		error = load(file, names, functions);
	if (error == 0)
		library->loaded = true;
	pthread_mutex_unlock(&library->lock);
	return error;
}

const char *library_error_text(void)
{
	const char *text = dlerror();

	return text ? text : "it has other functions";
}
