/* --fd [NAME=]FD: for whoever starts adoptd with descriptors of his own. */
#include "activation.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char default_name[] = "listeners";

/* strtol() would take blanks and signs. */
int descriptor_read(const char *text, int *ret)
{
	int fd = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || fd > (INT_MAX - 9) / 10)
			return -EINVAL;
		fd = fd * 10 + (*text - '0');
	}
	*ret = fd;
	return 0;
}

static int parse(const char *option, const char **ret_equals, int *ret_fd)
{
	*ret_equals = strrchr(option, '=');
	if (*ret_equals == option)
		return -EINVAL;
	return descriptor_read(*ret_equals ? *ret_equals + 1 : option, ret_fd);
}

bool fd_option_is_valid(const char *option)
{
	const char *equals;
	int fd;

	return parse(option, &equals, &fd) == 0;
}

static int add_option(const char *option, struct inherited_list *list, char **ret_message)
{
	const char *equals;
	char *name = NULL;
	int fd, r;

	if (parse(option, &equals, &fd) < 0)
		return giver_fail(-EINVAL, ret_message,
				  "--fd %s: must be FD or NAME=FD, FD being a descriptor's number",
				  option);
	name = equals ? strndup(option, (size_t)(equals - option)) : strdup(default_name);
	if (!name)
		return -ENOMEM;
	r = inherited_add(list, name, fd, giver_fd_option.name);
	free(name);
	if (r < 0 && r != -ENOMEM)
		r = giver_explain(r, fd, list, ret_message, "--fd %s", option);
	return r;
}

static int collect(const struct activation_request *request, struct inherited_list *list,
		   char **ret_message)
{
	int r = 0;

	for (const char *const *option = request->fd_options; option && *option && r == 0; option++)
		r = add_option(*option, list, ret_message);
	return r;
}

const struct giver giver_fd_option = {.name = "--fd", .collect = collect};
