/* s6-fdholder-getdump(1): S6_FD#=2, S6_FD_0=4, S6_FDID_0=web and so on, with the names that the
 * descriptors were stored under. */
#include "environment.h"

static const struct dialect dialect = {
	.giver = "s6-fdholder",
	.example = "S6_FD#=1 with S6_FD_0=4 and S6_FDID_0=web",
};

static int collect(const struct activation_request *request, struct inherited_list *list,
		   char **ret_message)
{
	static const struct numbered numbered = {
		.count = "S6_FD#",
		.number = "S6_FD_",
		.name = "S6_FDID_",
	};
	static const char *const announcing[] = {"S6_FD#", NULL};
	static const char *const each[] = {"S6_FD_", "S6_FDID_", "S6_FDLIMIT_", NULL};
	int r = environment_take_numbered(&dialect, &numbered, list, ret_message);

	(void)request;
	environment_unset(announcing);
	environment_unset_numbered(each);
	return r;
}

const struct giver giver_s6_fdholder = {.name = "s6-fdholder", .collect = collect};
