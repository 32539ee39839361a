/* identity.h - who a process is to be: a user, a group, and more groups */
#ifndef SUPPORT_IDENTITY_H
#define SUPPORT_IDENTITY_H

#include <stddef.h>
#include <sys/types.h>

struct identity {
	uid_t uid; /* IDENTITY_SAME_USER: stays as it is */
	gid_t gid;
	gid_t *groups; /* the supplementary ones */
	size_t group_count;
};

/* setresuid(2): no user has this number. */
#define IDENTITY_SAME_USER ((uid_t)-1)

/*
 * Finds out who a user and a group are. A user that the system knows, by name or number,
 * brings its own group, unless another is given, and all groups that it is a member of, as
 * initgroups(3) finds them. Any other number, or a group alone, brings no more than the
 * group. Asks the system's databases, so it may block.
 * user, group: a name or a decimal number; NULL where none is given, but not both.
 * ret: free with identity_free().
 * Returns 0; -ESRCH where there is no such user; -ENOENT where there is no such group;
 * -EINVAL where a number that the system does not know as a user comes without a group;
 * -ENOMEM.
 */
int identity_new(const char *user, const char *group, struct identity **ret);

/* Frees an identity and sets it NULL; NULL inside is harmless. */
void identity_free(struct identity **identity);

/* Finds a group by its name or number. May block. Returns 0, or -ENOENT where there is
 * none of this name. */
int identity_find_group(const char *text, gid_t *ret);

/*
 * Makes the calling process who it is to be, for good, in user, group and groups: real,
 * effective and saved. Privileges that another user had end when it runs a program. Only
 * in a process that is about to do so: it makes bare system calls where those of the C
 * library would reach for other threads. Async-signal-safe.
 * Returns 0 or a negative errno from setgroups(2), setresgid(2), setresuid(2) or prctl(2).
 */
int identity_become(const struct identity *identity);

#endif
