/*
 * Compiled against Apple's <launch.h>: it declares launch_activate_socket() as
 * src/activation/launchd.c calls it and as tests/shim/launch.h has it. NAME is what is
 * then called: another name is to fail when it is linked.
 */
#include <launch.h>
#include <stddef.h>

#ifndef COUNT
#define COUNT size_t
#endif
#ifndef NAME
#define NAME launch_activate_socket
#endif

_Static_assert(_Generic(&launch_activate_socket, int (*)(const char *, int **, COUNT *) : 1,
			default : 0),
	       "launch_activate_socket() is not what is expected");

int NAME(const char *name, int **fds, size_t *cnt);

int main(void)
{
	int *fds;
	size_t count;

	return NAME("listeners", &fds, &count);
}
