/* Puma, as it starts itself anew: PUMA_INHERIT_0=3:tcp://127.0.0.1:80, PUMA_INHERIT_1, ...
 * until one is missing. */
#include "environment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct dialect dialect = {
	.giver = "puma",
	.example = "PUMA_INHERIT_0=3:tcp://127.0.0.1:80",
};

/* Returns the address of a URL, cutting off what follows; NULL where it is none. */
static const char *address_of(char *url)
{
	char *address = strstr(url, "://");

	if (!address)
		return NULL;
	address += strlen("://");
	address[strcspn(address, "?")] = '\0';
	return *address ? address : NULL;
}

static int take(const char *variable, struct inherited_list *list, char **ret_message)
{
	const char *value = environment_value(variable), *address = NULL;
	struct announced announced = {.variable = variable};
	char *text = strdup(value), *colon;
	int r;

	if (!text)
		return -ENOMEM;
	colon = strchr(text, ':');
	if (colon) {
		*colon = '\0';
		address = address_of(colon + 1);
	}
	if (address) {
		announced.number = text;
		announced.name = environment_address_name(address);
		r = environment_take(&dialect, &announced, list, ret_message);
	} else {
		r = environment_refuse(&dialect, variable, value, ret_message);
	}
	free(text);
	return r;
}

static int collect(const struct activation_request *request, struct inherited_list *list,
		   char **ret_message)
{
	static const char *const announcing[] = {"PUMA_INHERIT_", NULL};
	char variable[32] = "PUMA_INHERIT_0";
	int r = 0;

	(void)request;
	for (unsigned i = 1; r == 0 && getenv(variable); i++) {
		r = take(variable, list, ret_message);
		snprintf(variable, sizeof variable, "%s%u", announcing[0], i);
	}
	environment_unset_numbered(announcing);
	return r;
}

const struct giver giver_puma = {.name = "puma", .collect = collect};
