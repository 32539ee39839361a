#include "libcares.h"

#include <stddef.h>

int libcares_load(const struct libcares **ret)
{
	static const char *const names[] = {LIBCARES_FUNCTIONS(LIBRARY_NAME) NULL};
	static struct library library = LIBRARY_INIT;
	static struct libcares functions;
	int error = library_load_once(&library, "libcares.so.2", names, &functions);

	if (error == 0)
		*ret = &functions;
	return error;
}
