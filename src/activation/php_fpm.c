/* php-fpm, as it starts itself anew: FPM_SOCKETS, FPM_SOCKETS_1, ... until one is missing. */
#include "environment.h"

#include <stdio.h>
#include <stdlib.h>

static const struct dialect dialect = {
	.giver = "php-fpm",
	.separators = ",",
	.named = true,
	.example = "FPM_SOCKETS=127.0.0.1:9000=3,/run/php.sock=4",
};

static int collect(const struct activation_request *request, struct inherited_list *list,
		   char **ret_message)
{
	static const char *const announcing[] = {"FPM_SOCKETS", NULL};
	static const char *const more[] = {"FPM_SOCKETS_", NULL};
	char variable[32] = "FPM_SOCKETS";
	int r = 0;

	(void)request;
	for (unsigned i = 1; r == 0 && getenv(variable); i++) {
		r = environment_take_list(&dialect, variable, list, ret_message);
		snprintf(variable, sizeof variable, "%s%u", more[0], i);
	}
	environment_unset(announcing);
	environment_unset_numbered(more);
	return r;
}

const struct giver giver_php_fpm = {.name = "php-fpm", .collect = collect};
