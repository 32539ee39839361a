#include "activation.h"

#include <string.h>

/* An adoptd before this one has what all others gave it. Of these systemfd comes before
 * systemd, which unsets the variables that they share; inetd last: descriptor 0 is its own
 * only where nobody has given it under another name. */
static const struct giver *const givers[] = {
	&giver_handover,       &giver_systemfd,    &giver_systemd,
#ifdef HAVE_LAUNCH_ACTIVATE_SOCKET
	&giver_launchd,
#endif
	&giver_server_starter, &giver_einhorn,     &giver_upstart, &giver_s6_fdholder,
	&giver_nginx,          &giver_gunicorn,    &giver_puma,    &giver_php_fpm,
	&giver_fd_option,      &giver_from_option, &giver_inetd,
};

#define GIVERS (sizeof givers / sizeof givers[0])

const char *giver_find(const char *name)
{
	for (size_t i = 0; i < GIVERS; i++)
		if (strcmp(givers[i]->name, name) == 0)
			return givers[i]->name;
	return NULL;
}

int activation_collect(const struct activation_request *request, struct inherited_list *list,
		       char **ret_message)
{
	int r = 0;

	for (size_t i = 0; i < GIVERS && r == 0 && !list->handed_over; i++)
		r = givers[i]->collect(request, list, ret_message);
	return r;
}
