/* gunicorn, as it starts its next version. */
#include "environment.h"

static const struct dialect dialect = {
	.giver = "gunicorn",
	.separators = ",",
	.example = "GUNICORN_FD=3,4",
};

static int collect(const struct activation_request *request, struct inherited_list *list,
		   char **ret_message)
{
	static const char *const announcing[] = {"GUNICORN_FD", "GUNICORN_PID", NULL};
	int r = environment_take_list(&dialect, announcing[0], list, ret_message);

	(void)request;
	environment_unset(announcing);
	return r;
}

const struct giver giver_gunicorn = {.name = "gunicorn", .collect = collect};
