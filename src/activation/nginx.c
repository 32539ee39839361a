/* nginx, and what starts a program as nginx starts its next version: see
 * ngx_set_inherited_sockets(). */
#include "environment.h"

static const struct dialect dialect = {
	.giver = "nginx",
	.separators = ":;",
	.closed = true,
	.example = "NGINX=3;4;",
};

static int collect(const struct activation_request *request, struct inherited_list *list,
		   char **ret_message)
{
	static const char *const announcing[] = {"NGINX", NULL};
	int r = environment_take_list(&dialect, announcing[0], list, ret_message);

	(void)request;
	environment_unset(announcing);
	return r;
}

const struct giver giver_nginx = {.name = "nginx", .collect = collect};
