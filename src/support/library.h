/* library.h - a shared library that is loaded by who needs it: most starts do not */
#ifndef SUPPORT_LIBRARY_H
#define SUPPORT_LIBRARY_H

#include <pthread.h>
#include <stdbool.h>

/* From a list of functions: their names, and pointers to them, each of its own type. */
#define LIBRARY_NAME(name) #name,
#define LIBRARY_MEMBER(name) __typeof__(name) *name;

/* Whether it has been loaded. Begins as LIBRARY_INIT. */
struct library {
	pthread_mutex_t lock;
	bool loaded;
};

#define LIBRARY_INIT                                                                               \
	{                                                                                          \
		.lock = PTHREAD_MUTEX_INITIALIZER                                                  \
	}

/*
 * Loads a library for good, unless that has been done; from any thread. What has failed may
 * be tried again.
 * file: as for dlopen(3).
 * names: of the functions that are wanted, NULL behind the last.
 * functions: a struct of a LIBRARY_MEMBER for each, in that order; filled on success, and
 * never changed then.
 * Returns 0; -ENOMEM; -ENOSYS where it or one of them is not there, or the system refuses
 * something.
 */
int library_load_once(struct library *library, const char *file, const char *const names[],
		      void *functions);

/* Says in words, once, why that has returned -ENOSYS, in the thread in which it has: dlerror(3).
 * Returns a text that is valid until this thread calls anything of these again; never NULL. */
const char *library_error_text(void);

#endif
