/* library.h - a shared library that is loaded by who needs it: most starts do not */
#ifndef SUPPORT_LIBRARY_H
#define SUPPORT_LIBRARY_H

#include <stdbool.h>

/*
 * Finds a function of a library.
 * library: from dlopen(3).
 * ret: a pointer to the function's own type; NULL where there is none of this name.
 * Returns whether there is one.
 */
bool library_find(void *library, const char *name, void *ret);

#endif
