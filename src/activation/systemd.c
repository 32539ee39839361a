/*
 * systemd: what sd_listen_fds(3) says of the environment. Read here, and not by libsystemd:
 * loading that library, and the half dozen that it needs, would be the longest part of a
 * start that a client waits for.
 */
#include "activation.h"

#include "adopt/adopt.h"
#include "support/value.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#include <sys/vfs.h>
#endif

/* The first that is handed over: sd-daemon.h's SD_LISTEN_FDS_START. */
#define FIRST_FD 3

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

/* Finds the name of the n-th descriptor in LISTEN_FDNAMES. */
static const char *announced_name(size_t n, int *ret_length)
{
	const char *name = getenv("LISTEN_FDNAMES");

	while (name && n-- > 0) {
		name = strchr(name, ':');
		name = name ? name + 1 : NULL;
	}
	if (!name)
		name = "unknown";
	*ret_length = (int)strcspn(name, ":");
	return name;
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

static int explain(int error, char **ret_message)
{
	if (error == -EBADF) {
		int fd = FIRST_FD, length;
		const char *name;

		while (fcntl(fd, F_GETFD) >= 0)
			fd++;
		name = announced_name((size_t)(fd - FIRST_FD), &length);
		return giver_fail(error, ret_message,
				  "descriptor %d (\"%.*s\") is not open, though LISTEN_FDS=%s says "
				  "that systemd handed it over",
				  fd, length, name, variable("LISTEN_FDS"));
	}
	return giver_fail(
		error, ret_message,
		"LISTEN_PID=%s, LISTEN_FDS=%s and LISTEN_FDNAMES=%s do not say what systemd "
		"handed over: %s",
		variable("LISTEN_PID"), variable("LISTEN_FDS"), variable("LISTEN_FDNAMES"),
		strerror(-error));
}

/* systemd itself names a connection so; systemd-socket-activate gives no names. */
static const char *default_name(int fd)
{
	struct adopt_socket_kind kind;

	if (adopt_socket_inspect(fd, &kind) == 0 && kind.type == SOCK_STREAM && !kind.listening)
		return "connection";
	return "unknown";
}

/* Tells whether an adoptd before this one had systemd keep it. */
static bool is_stored(const char *name)
{
	return strncmp(name, STORED_PREFIX, strlen(STORED_PREFIX)) == 0;
}

static size_t count_names(const char *names)
{
	size_t count = *names ? 1 : 0;

	for (; *names; names++)
		count += *names == ':';
	return count;
}

/* Returns how many are meant for this process, perhaps none; -EINVAL where the variables
 * are not as they should be; -EBADF where one of the descriptors is not open. */
static int count_announced(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	const char *names = getenv("LISTEN_FDNAMES");
	uint64_t meant, count;

	if (!pid || !fds || meant_for_another())
		return 0;
	if (value_number(pid, 1, INT_MAX, &meant) < 0)
		return -EINVAL;
	if (meant != (uint64_t)getpid())
		return 0;
	if (value_number(fds, 1, INT_MAX - FIRST_FD, &count) < 0)
		return -EINVAL;
	for (int i = 0; i < (int)count; i++)
		if (fcntl(FIRST_FD + i, F_GETFD) < 0)
			return -EBADF;
	return names && count_names(names) != count ? -EINVAL : (int)count;
}

static int take_one(struct inherited_list *list, int fd, char **ret_message)
{
	bool named = getenv("LISTEN_FDNAMES");
	int length;
	const char *announced = announced_name((size_t)(fd - FIRST_FD), &length);
	char *name = named ? strndup(announced, (size_t)length) : strdup(default_name(fd));
	const struct inherited what = {
		.fd = fd,
		.number = fd,
		.source = giver_systemd.name,
		.opened = name && named && is_stored(name),
	};
	int r = name ? inherited_take(list, name, &what) : -ENOMEM;

	if (r < 0 && r != -ENOMEM)
		r = giver_fail(r, ret_message, "descriptor %d (\"%s\") of systemd: %s", fd, name,
			       strerror(-r));
	free(name);
	return r;
}

static int listen_fds(struct inherited_list *list, char **ret_message)
{
	int count = count_announced(), r = 0;

	if (count < 0)
		return explain(count, ret_message);
	if (count == 0 && getenv("LISTEN_FDS"))
		inherited_note(
			list,
			"LISTEN_FDS=%s is ignored: it is meant for another process, LISTEN_PID=%s "
			"LISTEN_PIDFDID=%s, not for this one, %ld",
			variable("LISTEN_FDS"), variable("LISTEN_PID"), variable("LISTEN_PIDFDID"),
			(long)getpid());
	for (int i = 0; r == 0 && i < count; i++)
		r = take_one(list, FIRST_FD + i, ret_message);
	return r;
}

static int collect(const struct activation_request *request, struct inherited_list *list,
		   char **ret_message)
{
	static const char *const announcing[] = {
		"LISTEN_PID",     "LISTEN_FDS",  "LISTEN_FDNAMES",
		"LISTEN_PIDFDID", "REMOTE_ADDR", "REMOTE_PORT",
	};
	int r = listen_fds(list, ret_message);

	(void)request;
	for (size_t i = 0; i < sizeof announcing / sizeof announcing[0]; i++)
		unsetenv(announcing[i]);
	return r;
}

const struct giver giver_systemd = {.name = "systemd", .collect = collect};
