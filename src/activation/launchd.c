/*
 * launchd: launch_activate_socket() of <launch.h>.
 *
 * It returns its error, and frees nothing. It has no list of names, so each port
 * block's name is asked for. An unknown name gives ENOENT, but ESRCH too.
 */
#include "activation.h"

#include <errno.h>
#include <launch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int activate(const char *name, struct inherited_list *list, char **ret_message)
{
	int *fds = NULL;
	size_t count = 0;
	int error, r = 0;

	error = launch_activate_socket(name, &fds, &count);
	if (error == ENOENT || error == ESRCH)
		return 0;
	if (error)
		return giver_fail(-error, ret_message, "launchd's socket \"%s\": %s", name,
				  error == EALREADY ? "was activated before" : strerror(error));
	for (size_t i = 0; i < count; i++) {
		if (r == 0)
			r = inherited_add(list, name, fds[i], giver_launchd.name);
		if (r == 0)
			continue;
		if (r != -ENOMEM && !*ret_message)
			r = giver_fail(r, ret_message, "descriptor %d, launchd's socket \"%s\": %s",
				       fds[i], name, strerror(-r));
		close(fds[i]);
	}
	free(fds);
	return r;
}

static char *base_name(const char *port_name)
{
	size_t length, index;

	if (!inherited_split_name(port_name, &length, &index))
		length = strlen(port_name);
	return strndup(port_name, length);
}

/* NAME#0 and NAME#1 are one name of launchd's, and it answers only once. */
static bool asked_before(const char *const *names, size_t count, const char *base)
{
	size_t base_length = strlen(base);

	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(names[i]), index;

		inherited_split_name(names[i], &length, &index);
		if (length == base_length && strncmp(names[i], base, length) == 0)
			return true;
	}
	return false;
}

static int collect(const struct activation_request *request, struct inherited_list *list,
		   char **ret_message)
{
	const char *const *names = request->port_names;
	int r = 0;

	for (size_t i = 0; names && names[i] && r == 0; i++) {
		char *base = base_name(names[i]);

		if (!base)
			return -ENOMEM;
		if (strcmp(base, "*") != 0 && !asked_before(names, i, base))
			r = activate(base, list, ret_message);
		free(base);
	}
	return r;
}

const struct giver giver_launchd = {.name = "launchd", .collect = collect};
