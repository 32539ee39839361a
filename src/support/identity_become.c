/* Changing user and group in a process that shares its memory with a parent of many
 * threads, as after vfork(2): glibc's setuid(3) and its kin would have all threads follow. */
#include "identity.h"

#include <errno.h>
#include <grp.h>
#include <unistd.h>

#if HAVE_DECL_SYS_SETRESUID
#include <sys/prctl.h>
#include <sys/syscall.h>

/* Where the old calls take 16 bits, there are newer ones. */
#ifdef SYS_setresuid32
#define CALL_SETGROUPS SYS_setgroups32
#define CALL_SETRESGID SYS_setresgid32
#define CALL_SETRESUID SYS_setresuid32
#else
#define CALL_SETGROUPS SYS_setgroups
#define CALL_SETRESGID SYS_setresgid
#define CALL_SETRESUID SYS_setresuid
#endif

static long set_groups(size_t count, const gid_t *groups)
{
	return syscall(CALL_SETGROUPS, count, groups);
}

static long set_group(gid_t gid)
{
	return syscall(CALL_SETRESGID, gid, gid, gid);
}

static long set_user(uid_t uid)
{
	return syscall(CALL_SETRESUID, uid, uid, uid);
}

/* capabilities(7): of a user that is not root and becomes another, ambient capabilities
 * are all that outlives execve(2). Kernels without them have nothing to clear. */
static int drop_privileges(void)
{
#ifdef PR_CAP_AMBIENT
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return -errno;
#endif
	return 0;
}
#else
static int set_groups(size_t count, const gid_t *groups)
{
	return setgroups((int)count, groups);
}

/* By root, these set all three. */
static int set_group(gid_t gid)
{
	return setgid(gid);
}

static int set_user(uid_t uid)
{
	return setuid(uid);
}

static int drop_privileges(void)
{
	return 0;
}
#endif

int identity_become(const struct identity *identity)
{
	if (set_groups(identity->group_count, identity->groups) < 0 || set_group(identity->gid) < 0)
		return -errno;
	if (identity->uid == IDENTITY_SAME_USER)
		return 0;
	if (set_user(identity->uid) < 0)
		return -errno;
	return drop_privileges();
}
