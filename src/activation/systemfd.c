/* systemfd and others that speak of LISTEN_FDS as systemd does, but cannot know the number of
 * the process that it is meant for: listenfd's crate takes it without LISTEN_PID as well. */
#include "environment.h"
#include "listen_fds.h"

#include <stdlib.h>

static int collect(const struct activation_request *request, struct inherited_list *list,
		   char **ret_message)
{
	int r;

	(void)request;
	if (!getenv("LISTEN_FDS") || *environment_value("LISTEN_PID") || getenv("LISTEN_PIDFDID"))
		return 0;
	r = listen_fds_take(giver_systemfd.name, list, ret_message);
	listen_fds_unset();
	return r;
}

const struct giver giver_systemfd = {.name = "systemfd", .collect = collect};
