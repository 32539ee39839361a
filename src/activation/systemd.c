/*
 * systemd: what sd_listen_fds(3) says of the environment. Read here, and not by libsystemd:
 * loading that library, and the half dozen that it needs, would be the longest part of a
 * start that a client waits for.
 */
#include "environment.h"
#include "listen_fds.h"
#include "support/value.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#include <sys/vfs.h>
#endif

#define PIDFS_MAGIC_NUMBER 0x50494446 /* linux/magic.h, since 6.9 */

/*
 * Tells this process's identity as LISTEN_PIDFDID (v259) has it: the inode of
 * its pidfd. Kernels before 6.9 have no pidfs, and 32-bit ones cut the number.
 */
static bool own_pidfd_id(unsigned long long *ret)
{
	bool found = false;
#ifdef SYS_pidfd_open
	struct statfs fs;
	struct stat st;
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (fd < 0)
		return false;
	found = sizeof(long) == 8 && fstatfs(fd, &fs) == 0 && fs.f_type == PIDFS_MAGIC_NUMBER &&
		fstat(fd, &st) == 0;
	if (found)
		*ret = (unsigned long long)st.st_ino;
	close(fd);
#else
	(void)ret;
#endif
	return found;
}

/* A pid may have been used again since; its pidfd's inode never is. */
static bool meant_for_another(void)
{
	const char *announced = getenv("LISTEN_PIDFDID");
	unsigned long long own;
	char *end;

	if (!announced || !own_pidfd_id(&own))
		return false;
	return strtoull(announced, &end, 10) != own || *end;
}

/* Returns whether what is announced is meant for this process; -EINVAL where LISTEN_PID is
 * not a number. */
static int meant_for_this(void)
{
	uint64_t meant;

	if (!getenv("LISTEN_PID") || meant_for_another())
		return false;
	if (value_number(environment_value("LISTEN_PID"), 1, INT_MAX, &meant) < 0)
		return -EINVAL;
	return meant == (uint64_t)getpid();
}

static int listen_fds(struct inherited_list *list, char **ret_message)
{
	int meant = meant_for_this();

	if (meant < 0)
		return giver_fail(
			meant, ret_message,
			"LISTEN_PID=%s is not the number of a process, as systemd sets it",
			environment_value("LISTEN_PID"));
	if (meant)
		return listen_fds_take(giver_systemd.name, list, ret_message);
	inherited_note(list,
		       "LISTEN_FDS=%s is ignored: it is meant for another process, LISTEN_PID=%s "
		       "LISTEN_PIDFDID=%s, not for this one, %ld",
		       environment_value("LISTEN_FDS"), environment_value("LISTEN_PID"),
		       environment_value("LISTEN_PIDFDID"), (long)getpid());
	return 0;
}

static int collect(const struct activation_request *request, struct inherited_list *list,
		   char **ret_message)
{
	static const char *const connection[] = {"REMOTE_ADDR", "REMOTE_PORT", NULL};
	int r = getenv("LISTEN_FDS") ? listen_fds(list, ret_message) : 0;

	(void)request;
	listen_fds_unset();
	environment_unset(connection);
	return r;
}

const struct giver giver_systemd = {.name = "systemd", .collect = collect};
