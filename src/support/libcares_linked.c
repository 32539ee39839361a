/* Where its file's name is not known, it is there from the start. */
#include "libcares.h"

#define FUNCTION(name) .name = name,

const struct libcares *libcares_load(void)
{
	static const struct libcares functions = {LIBCARES_FUNCTIONS(FUNCTION)};

	return &functions;
}
