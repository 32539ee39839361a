/* Users and groups: whom names and numbers mean, and which groups come along. */
#include "support/identity.h"

#include <check.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct identity *identity;

static void teardown(void)
{
	identity_free(&identity);
	identity_free(&identity);
	ck_assert_ptr_null(identity);
}

static void find(const char *user, const char *group)
{
	ck_assert_int_eq(identity_new(user, group, &identity), 0);
}

static bool has_group(gid_t gid)
{
	for (size_t i = 0; i < identity->group_count; i++)
		if (identity->groups[i] == gid)
			return true;
	return false;
}

static void ck_daemon(void)
{
	const struct passwd *entry = getpwnam("daemon");

	ck_assert_int_eq(identity->uid, entry->pw_uid);
	ck_assert_int_eq(identity->gid, entry->pw_gid);
	ck_assert_uint_ge(identity->group_count, 1);
	ck_assert(has_group(entry->pw_gid));
}

START_TEST(user_brings_its_group)
{
	const struct passwd *entry = getpwnam("daemon");
	char number[32];

	ck_assert_ptr_nonnull(entry);
	snprintf(number, sizeof number, "%d", (int)entry->pw_uid);
	find("daemon", NULL);
	ck_daemon();
	identity_free(&identity);
	find(number, NULL);
	ck_daemon();
}
END_TEST

/* Some account of the system that is a member of a group besides its own. */
static const char *find_member(gid_t *ret)
{
	static char name[256];
	const struct group *group;
	const struct passwd *user;

	while ((group = getgrent()))
		if (group->gr_mem[0] && (user = getpwnam(group->gr_mem[0])) &&
		    user->pw_gid != group->gr_gid) {
			snprintf(name, sizeof name, "%s", user->pw_name);
			*ret = group->gr_gid;
			endgrent();
			return name;
		}
	endgrent();
	return NULL;
}

START_TEST(user_brings_all_its_groups)
{
	gid_t more = 0;
	const char *name = find_member(&more);

	if (!name)
		return;
	find(name, NULL);
	ck_assert_uint_ge(identity->group_count, 2);
	ck_assert(has_group(more));
	ck_assert(has_group(identity->gid));
	identity_free(&identity);
	find(name, "4711");
	ck_assert_int_eq(identity->gid, 4711);
	ck_assert(has_group(more));
	ck_assert(has_group(4711));
}
END_TEST

START_TEST(group_by_name)
{
	const struct group *group = getgrnam("daemon");

	ck_assert_ptr_nonnull(group);
	find("4711", "daemon");
	ck_assert_int_eq(identity->uid, 4711);
	ck_assert_int_eq(identity->gid, group->gr_gid);
}
END_TEST

START_TEST(numbers_without_an_entry)
{
	find("4000000", "4000001");
	ck_assert_int_eq(identity->uid, 4000000);
	ck_assert_int_eq(identity->gid, 4000001);
	ck_assert_uint_eq(identity->group_count, 1);
	ck_assert(has_group(4000001));
}
END_TEST

START_TEST(group_alone)
{
	find(NULL, "4711");
	ck_assert(identity->uid == IDENTITY_SAME_USER);
	ck_assert_int_eq(identity->gid, 4711);
	ck_assert_uint_eq(identity->group_count, 1);
	ck_assert(has_group(4711));
}
END_TEST

static void ck_refused(const char *user, const char *group, int error)
{
	ck_assert_int_eq(identity_new(user, group, &identity), error);
	ck_assert_ptr_null(identity);
}

START_TEST(nobody_of_that_name)
{
	ck_refused("no-such-user", NULL, -ESRCH);
	ck_refused("", NULL, -ESRCH);
	ck_refused(NULL, "no-such-group", -ENOENT);
	ck_refused("daemon", "no-such-group", -ENOENT);
	ck_refused("4000000", NULL, -EINVAL);
	/* All ones means nobody to the system. */
	ck_refused("4294967295", "0", -ESRCH);
	ck_refused("-1", "0", -ESRCH);
	ck_refused("0", "4294967295", -ENOENT);
}
END_TEST

/* Becoming is for good: each in the process of a test. */
START_TEST(becoming_somebody)
{
	uid_t real, effective, saved;
	gid_t groups[64];
	gid_t real_group, effective_group, saved_group;

	if (geteuid() != 0)
		return;
	find("daemon", "4711");
	ck_assert_int_eq(identity_become(identity), 0);
	ck_assert_int_eq(getresuid(&real, &effective, &saved), 0);
	ck_assert_int_eq(getresgid(&real_group, &effective_group, &saved_group), 0);
	ck_assert_int_eq(real, identity->uid);
	ck_assert_int_eq(effective, identity->uid);
	ck_assert_int_eq(saved, identity->uid);
	ck_assert_int_eq(real_group, 4711);
	ck_assert_int_eq(effective_group, 4711);
	ck_assert_int_eq(saved_group, 4711);
	ck_assert_int_eq(getgroups(64, groups), (int)identity->group_count);
	ck_assert_int_eq(setuid(0), -1);
}
END_TEST

START_TEST(becoming_of_another_group)
{
	if (geteuid() != 0)
		return;
	find(NULL, "4711");
	ck_assert_int_eq(identity_become(identity), 0);
	ck_assert_int_eq(geteuid(), 0);
	ck_assert_int_eq(getegid(), 4711);
	ck_assert_int_eq(getgroups(0, NULL), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("identity");
	TCase *tests = tcase_create("identity");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, NULL, teardown);
	tcase_add_test(tests, user_brings_its_group);
	tcase_add_test(tests, user_brings_all_its_groups);
	tcase_add_test(tests, group_by_name);
	tcase_add_test(tests, numbers_without_an_entry);
	tcase_add_test(tests, group_alone);
	tcase_add_test(tests, nobody_of_that_name);
	tcase_add_test(tests, becoming_somebody);
	tcase_add_test(tests, becoming_of_another_group);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
