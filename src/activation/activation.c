#include "activation.h"

/* systemd comes first, since its descriptors are fixed numbers; inetd last:
 * descriptor 0 is its own only where nobody has given it under another name. */
static const struct giver *const givers[] = {
	&giver_systemd,
#ifdef HAVE_LAUNCH_ACTIVATE_SOCKET
	&giver_launchd,
#endif
	&giver_fd_option,
	&giver_inetd,
};

int activation_collect(const struct activation_request *request, struct inherited_list *list,
		       char **ret_message)
{
	int r = 0;

	for (size_t i = 0; i < sizeof givers / sizeof givers[0] && r == 0; i++)
		r = givers[i]->collect(request, list, ret_message);
	return r;
}
