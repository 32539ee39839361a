#include "control_socket.h"

#include "support/option.h"

#include <errno.h>
#include <string.h>

static const char *why_not(const struct config *config, int error)
{
	if (error == -EADDRINUSE)
		return "somebody answers there already, or it is no socket";
	if (error == -EPERM && config->control_group != (gid_t)-1)
		return "control-group is none of adoptd's own groups";
	return strerror(-error);
}

static int open_path(const struct config *config, const struct listen_set *before,
		     struct listen_set *ret)
{
	const struct listen_access access = {
		.mode = config->control_group == (gid_t)-1 ? 0600 : 0660,
		.group = config->control_group,
	};

	return config->control ? listen_open_path(ret, before, config->control, &access) : 0;
}

int control_socket_open(const struct config *config, const struct listen_set *before,
			struct faults *faults, struct listen_set *ret)
{
	int error = open_path(config, before, ret);

	if (error < 0)
		option_fault(config->tree, "control", faults, "cannot listen on \"%s\": %s",
			     config->control, why_not(config, error));
	return error;
}

void control_socket_restore(const struct config *config, const struct listen_set *control)
{
	struct listen_set again = {0};

	(void)open_path(config, control, &again);
	listen_close(&again);
}
