/* launch_answers.h - what launch_activate_socket() is to answer in a unit test */
#ifndef SHIM_LAUNCH_ANSWERS_H
#define SHIM_LAUNCH_ANSWERS_H

#include <stddef.h>

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
