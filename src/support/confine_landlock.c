#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the kernel may know and the header not yet: landlock(7). */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP (1ULL << 0)
#define LANDLOCK_ACCESS_NET_CONNECT_TCP (1ULL << 1)
#endif

#ifndef LANDLOCK_SCOPE_SIGNAL
#define LANDLOCK_SCOPE_SIGNAL (1ULL << 1)
#endif

/* The first version's are all up to this one. */
#define FS_FIRST ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

#define READ_FILE LANDLOCK_ACCESS_FS_READ_FILE
#define WRITE_FILE LANDLOCK_ACCESS_FS_WRITE_FILE
#define READ_DIRECTORY LANDLOCK_ACCESS_FS_READ_DIR
#define SOCKETS (LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE)

/* struct landlock_ruleset_attr, of which older headers have the first member only. */
struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

/* The kernel refuses bits that it does not know, and a size that is not zero past those
 * that it does. */
static size_t handled(int version, unsigned needs, struct ruleset *ret)
{
	*ret = (struct ruleset){.fs = FS_FIRST};
	if (version >= 2)
		ret->fs |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		ret->fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (version >= 5)
		ret->fs |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	if (version < 4)
		return sizeof ret->fs;
	if (!(needs & CONFINE_CONNECT))
		ret->net |= LANDLOCK_ACCESS_NET_CONNECT_TCP;
	if (!(needs & CONFINE_LISTEN))
		ret->net |= LANDLOCK_ACCESS_NET_BIND_TCP;
	if (version < 6)
		return offsetof(struct ruleset, scoped);
	if (!(needs & CONFINE_SIGNAL))
		ret->scoped |= LANDLOCK_SCOPE_SIGNAL;
	return sizeof *ret;
}

static uint64_t access_to(const struct confine_path *path, mode_t mode)
{
	if (!S_ISDIR(mode))
		return READ_FILE | (path->write ? WRITE_FILE : 0);
	return path->sockets ? SOCKETS : READ_FILE | READ_DIRECTORY;
}

static int add(int ruleset, const struct confine_path *path)
{
	int fd = open(path->path, O_PATH | O_CLOEXEC), r = 0;
	struct landlock_path_beneath_attr beneath = {.parent_fd = fd};
	struct stat st;

	if (fd < 0)
		return 0;
	/* Of processes that are hidden it can be that the first call finds them. */
	if (fstat(fd, &st) == 0) {
		beneath.allowed_access = access_to(path, st.st_mode);
		r = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
				 &beneath, 0);
		/* What no path leads to: a file that came as a descriptor. */
		r = r < 0 && errno != EBADFD ? -errno : 0;
	}
	close(fd);
	return r;
}

int confine_files(unsigned needs, const struct confine_path *paths, size_t count)
{
	int version =
		(int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset ruleset;
	int fd, r = 0;

	if (version < 0)
		return -errno;
	fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, handled(version, needs, &ruleset),
			  0);
	if (fd < 0)
		return -errno;
	for (size_t i = 0; r == 0 && i < count; i++)
		if (paths[i].path)
			r = add(fd, &paths[i]);
	if (r == 0 && syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		r = -errno;
	close(fd);
	return r;
}
