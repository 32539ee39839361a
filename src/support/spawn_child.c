#include "spawn_child.h"

#include "close_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Also those that were ignored when adoptd was started. A caught one would run adoptd's
 * handler, so this comes before any can come. */
static void reset_signals(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};

	for (int number = 1; number < NSIG; number++)
		sigaction(number, &action, NULL);
}

static void unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int fd_count(const struct spawn_child *child)
{
	return child->order->fourth_fd ? SPAWN_FDS_MAX : SPAWN_FDS_MAX - 1;
}

/* All but its own. */
static void close_others(const struct spawn_child *child)
{
	unsigned first = (unsigned)fd_count(child);

	if (child->kept_fd >= 0) {
		unsigned kept = (unsigned)child->kept_fd;

		if (kept > first)
			close_fds(first, kept - 1, child->limit);
		first = kept + 1;
	}
	close_fds(first, UINT_MAX, child->limit);
}

/* First out of the way of its numbers, of which adoptd may have been started without one. */
static int place_descriptors(const int fds[], int count)
{
	int high[SPAWN_FDS_MAX];

	for (int i = 0; i < count; i++) {
		high[i] = fds[i] >= count ? fds[i] : fcntl(fds[i], F_DUPFD, count);
		if (high[i] < 0)
			return -errno;
	}
	for (int i = 0; i < count; i++)
		if (dup2(high[i], i) < 0)
			return -errno;
	return 0;
}

/* Whether execve() will find a program is judged before, as it would not come back. */
static int judge_program(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0 || access(path, X_OK) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? 0 : -EACCES;
}

/* What snprintf() does, which may not be called here. */
static void write_pid(char *to)
{
	char digits[SPAWN_PID_BYTES];
	unsigned long rest = (unsigned long)getpid();
	size_t at = sizeof digits;

	digits[--at] = '\0';
	do
		digits[--at] = (char)('0' + rest % 10);
	while ((rest /= 10) > 0);
	memcpy(to, digits + at, sizeof digits - at);
}

static int run_program(const struct spawn_child *child)
{
	const struct spawn_order *order = child->order;

	if (child->only_try)
		return judge_program(order->argv[0]);
	if (child->limit)
		setrlimit(RLIMIT_NOFILE, child->limit);
	if (order->pid)
		write_pid(order->pid);
	unblock_signals();
	execve(order->argv[0], order->argv, order->environment);
	return -errno;
}

static int take_step(enum spawn_step step, const struct spawn_child *child)
{
	const struct spawn_order *order = child->order;

	switch (step) {
	case SPAWN_PROCESS:
		reset_signals();
		return !order->successor && setsid() < 0 ? -errno : 0;
	case SPAWN_DESCRIPTORS:
		return child->only_try ? 0 : place_descriptors(order->fds, fd_count(child));
	case SPAWN_IDENTITY:
		return order->identity ? identity_become(order->identity) : 0;
	case SPAWN_DIRECTORY:
		return order->directory && chdir(order->directory) < 0 ? -errno : 0;
	case SPAWN_PROGRAM:
		close_others(child);
		return run_program(child);
	}
	return -EINVAL;
}

void spawn_child(const struct spawn_child *child, volatile struct spawn_failure *failure)
{
	for (enum spawn_step step = SPAWN_PROCESS; step <= SPAWN_PROGRAM; step++) {
		int error = take_step(step, child);

		if (error < 0) {
			failure->step = step;
			failure->error = error;
			return;
		}
	}
}
