/* program.h - how adoptd was started, so that it can be started again */
#ifndef DAEMON_PROGRAM_H
#define DAEMON_PROGRAM_H

struct program {
	char *path;  /* absolute, or NULL where it cannot be found out */
	char **argv; /* as main() got it, but with the path first; ended by NULL */
};

/*
 * Remembers how this process was started. Before an upgrade replaces the program: its path
 * is what leads to the new one then. That is the name by which it was called, symbolic links
 * and all, where this leads to it, or else what the system says.
 * argv: as main() got it, not yet reordered.
 * ret: free with program_done().
 * Returns 0 or -ENOMEM.
 */
int program_remember(int argc, char *argv[], struct program *ret);

void program_done(struct program *program);

#endif
