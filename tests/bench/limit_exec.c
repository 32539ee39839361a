/*
 * The limit of a server that starts a program for each connection:
 * limit-exec WORKERS PROGRAM [ARGUMENT]...
 *
 * Accepts, and spawns with the socket as descriptors 0 and 1.
 */
#include "limit.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void spawn(int client, char *argv[])
{
	static char *const environment[] = {NULL};
	posix_spawn_file_actions_t actions;
	pid_t child;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, client, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, client, STDOUT_FILENO);
	errno = posix_spawn(&child, argv[0], &actions, NULL, argv, environment);
	if (errno != 0)
		limit_die(argv[0]);
	posix_spawn_file_actions_destroy(&actions);
}

int main(int argc, char *argv[])
{
	if (argc < 3) {
		errno = EINVAL;
		limit_die("usage: limit-exec WORKERS PROGRAM [ARGUMENT]...");
	}
	limit_fork(argv[1]);
	if (fcntl(LIMIT_FD, F_SETFL, 0) < 0)
		limit_die("descriptor 3");
	for (;;) {
		int client = accept4(LIMIT_FD, NULL, NULL, SOCK_CLOEXEC);

		if (client < 0)
			limit_die("accept");
		spawn(client, argv + 2);
		close(client);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}
