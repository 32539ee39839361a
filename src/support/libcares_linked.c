/* Where its file's name is not known, it is there from the start. */
#include "libcares.h"

#define FUNCTION(name) .name = name,

int libcares_load(const struct libcares **ret)
{
	static const struct libcares functions = {LIBCARES_FUNCTIONS(FUNCTION)};

	*ret = &functions;
	return 0;
}
