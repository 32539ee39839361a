#include "libsystemd.h"

#include <stddef.h>

int libsystemd_load(const struct libsystemd **ret)
{
	static const char *const names[] = {LIBSYSTEMD_FUNCTIONS(LIBRARY_NAME) NULL};
	static struct library library = LIBRARY_INIT;
	static struct libsystemd functions;
	int error = library_load_once(&library, "libsystemd.so.0", names, &functions);

	if (error == 0)
		*ret = &functions;
	return error;
}
