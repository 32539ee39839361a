/* launch.h - stands in for Apple's where src/activation/launchd.c is tested */
#ifndef SHIM_LAUNCH_H
#define SHIM_LAUNCH_H

#include <stddef.h>

/* As launch(3) has it: returns 0 or a positive errno, the array is malloc'ed. */
int launch_activate_socket(const char *name, int **fds, size_t *cnt);

/*
 * Tells the shim its answer for a name, in place of ESRCH, which it gives for
 * all others. After a success the name gives EALREADY, as launchd has it.
 * name: static.
 * error: 0 or a positive errno.
 * fds, count: handed out; the caller of launch_activate_socket() has them then.
 */
void shim_answer(const char *name, int error, const int *fds, size_t count);

/* Returns how often a name that has an answer was asked for. */
unsigned shim_asked(const char *name);

#endif
