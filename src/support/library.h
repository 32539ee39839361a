/* library.h - a shared library that is loaded by who needs it: most starts do not */
#ifndef SUPPORT_LIBRARY_H
#define SUPPORT_LIBRARY_H

/* From a list of functions: their names, and pointers to them, each of its own type. */
#define LIBRARY_NAME(name) #name,
#define LIBRARY_MEMBER(name) __typeof__(name) *name;

/*
 * Loads a library for good.
 * file: as for dlopen(3).
 * names: of the functions that are wanted, NULL behind the last.
 * ret: a struct of a LIBRARY_MEMBER for each, in that order.
 * Returns 0; -ENOMEM; -ENOSYS where it or one of them is not there.
 */
int library_load(const char *file, const char *const names[], void *ret);

#endif
