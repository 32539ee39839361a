#include "successor.h"

#include "activation/activation.h"
#include "support/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* What would be told to this process, not to the next. */
static bool is_ours(const char *variable)
{
	/* The watchdog is to be fed by the new process: without this, by any. */
	static const char *const names[] = {"WATCHDOG_PID=", HANDOVER_VARIABLE "="};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strncmp(variable, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* Returns an array to be freed, whose words are this process's; NULL where memory is short. */
static char **make_environment(void)
{
	static char announcement[] = HANDOVER_VARIABLE "=3";
	char **made;
	size_t count = 0;

	while (environ[count])
		count++;
	made = calloc(count + 2, sizeof *made);
	if (!made)
		return NULL;
	count = 0;
	for (char **variable = environ; *variable; variable++)
		if (!is_ours(*variable))
			made[count++] = *variable;
	made[count] = announcement;
	return made;
}

/* What adoptd was started with there, or else /dev/null: anything of its own is
 * close-on-exec. */
static int standard_fd(int number, int null)
{
	int flags = fcntl(number, F_GETFD);

	return flags >= 0 && !(flags & FD_CLOEXEC) ? number : null;
}

int successor_start(const struct program *program, int fd, pid_t *ret_pid)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char **environment = make_environment();
	const struct spawn_order order = {
		.argv = program->argv,
		.environment = environment,
		.fds = {standard_fd(STDIN_FILENO, null), standard_fd(STDOUT_FILENO, null),
			standard_fd(STDERR_FILENO, null), fd},
		.fourth_fd = true,
		.successor = true,
	};
	enum spawn_step failed;
	int error = environment ? spawn(&order, ret_pid, &failed) : -ENOMEM;

	if (null >= 0)
		close(null);
	free(environment);
	return error;
}
