#include "identity.h"

#include "value.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

int identity_find_group(const char *text, gid_t *ret)
{
	const struct group *group;
	uint64_t number;

	/* The largest number means none: setresgid(2). */
	if (value_number(text, 0, UINT32_MAX - 1, &number) == 0) {
		*ret = (gid_t)number;
		return 0;
	}
	group = getgrnam(text);
	if (!group)
		return -ENOENT;
	*ret = group->gr_gid;
	return 0;
}

/* ret_entry: NULL for a number that the system has no entry for. */
static int find_user(const char *text, uid_t *ret, const struct passwd **ret_entry)
{
	const struct passwd *entry;
	uint64_t number;

	if (value_number(text, 0, UINT32_MAX - 1, &number) == 0) {
		*ret = (uid_t)number;
		*ret_entry = getpwuid(*ret);
		return 0;
	}
	entry = getpwnam(text);
	if (!entry)
		return -ESRCH;
	*ret = entry->pw_uid;
	*ret_entry = entry;
	return 0;
}

/* The type of a group differs between systems: Darwin's getgrouplist() takes int. */
#ifdef __APPLE__
typedef int listed_group;
#else
typedef gid_t listed_group;
#endif

static int add_groups_of(const char *user, struct identity *identity)
{
	int count = 0, room = 16;
	listed_group *listed = NULL;
	long max;

	do {
		listed_group *more = realloc(listed, (size_t)room * sizeof *listed);

		if (!more) {
			free(listed);
			return -ENOMEM;
		}
		listed = more;
		count = room;
		room *= 2;
	} while (getgrouplist(user, (listed_group)identity->gid, listed, &count) < 0 &&
		 room < INT_MAX / 4);
	identity->groups = calloc((size_t)count + 1, sizeof *identity->groups);
	if (!identity->groups) {
		free(listed);
		return -ENOMEM;
	}
	/* More than this, setgroups(2) does not take. */
	max = sysconf(_SC_NGROUPS_MAX);
	for (int i = 0; i < count && (max < 0 || i < max); i++)
		identity->groups[identity->group_count++] = (gid_t)listed[i];
	free(listed);
	return 0;
}

static int add_one_group(struct identity *identity)
{
	identity->groups = malloc(sizeof *identity->groups);
	if (!identity->groups)
		return -ENOMEM;
	identity->groups[identity->group_count++] = identity->gid;
	return 0;
}

static int fill(const char *user, const char *group, struct identity *identity)
{
	const struct passwd *entry = NULL;
	int error = 0;

	if (user)
		error = find_user(user, &identity->uid, &entry);
	if (error == 0 && group)
		error = identity_find_group(group, &identity->gid);
	if (error < 0)
		return error;
	if (entry && !group)
		identity->gid = entry->pw_gid;
	if (user && !entry && !group)
		return -EINVAL;
	return entry ? add_groups_of(entry->pw_name, identity) : add_one_group(identity);
}

int identity_new(const char *user, const char *group, struct identity **ret)
{
	struct identity *identity = calloc(1, sizeof *identity);
	int error;

	if (!identity)
		return -ENOMEM;
	identity->uid = IDENTITY_SAME_USER;
	error = fill(user, group, identity);
	if (error < 0)
		identity_free(&identity);
	else
		*ret = identity;
	return error;
}

void identity_free(struct identity **identity)
{
	if (*identity)
		free((*identity)->groups);
	free(*identity);
	*identity = NULL;
}
