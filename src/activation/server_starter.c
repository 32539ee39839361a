/* Server::Starter, start_server(1): the addresses are as they were asked for there. */
#include "environment.h"

static const struct dialect dialect = {
	.giver = "server-starter",
	.separators = ";",
	.named = true,
	.example = "SERVER_STARTER_PORT=127.0.0.1:80=3;/run/web.sock=4",
};

static int collect(const struct activation_request *request, struct inherited_list *list,
		   char **ret_message)
{
	static const char *const announcing[] = {"SERVER_STARTER_PORT", "SERVER_STARTER_GENERATION",
						 NULL};
	int r = environment_take_list(&dialect, announcing[0], list, ret_message);

	(void)request;
	environment_unset(announcing);
	return r;
}

const struct giver giver_server_starter = {.name = "server-starter", .collect = collect};
