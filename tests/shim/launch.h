/* launch.h - stands in for Apple's where src/activation/launchd.c is tested */
#ifndef SHIM_LAUNCH_H
#define SHIM_LAUNCH_H

#include <stddef.h>

/* As launch(3) has it: returns 0 or a positive errno, the array is malloc'ed. Unit tests
 * answer it themselves (launch_answers.h), tests/integration/launchd.py for a whole adoptd
 * (launch_simulator.c). */
int launch_activate_socket(const char *name, int **fds, size_t *cnt);

#endif
