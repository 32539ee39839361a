#include "service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int service_new(const char *file, int line, const char *name, struct service **ret)
{
	struct service *service = calloc(1, sizeof *service);

	if (!service)
		return -ENOMEM;
	service->line = line;
	if (service_set(&service->file, file) < 0 || service_set(&service->name, name) < 0) {
		service_free(&service);
		return -ENOMEM;
	}
	*ret = service;
	return 0;
}

void service_free(struct service **service)
{
	if (!*service)
		return;
	free((*service)->file);
	free((*service)->name);
	free((*service)->id);
	words_done(&(*service)->listens);
	words_done(&(*service)->socket);
	words_done(&(*service)->unit);
	free((*service)->upstream);
	words_done(&(*service)->command);
	free((*service)->user);
	free((*service)->group);
	words_done(&(*service)->environment);
	words_done(&(*service)->inherited);
	words_done(&(*service)->allow);
	words_done(&(*service)->deny);
	free(*service);
	*service = NULL;
}

int service_set(char **to, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free(*to);
	*to = copy;
	return 0;
}

int services_add(struct services *services, struct service **service)
{
	if (services->count == SERVICES_MAX)
		return -E2BIG;
	services->items[services->count++] = *service;
	*service = NULL;
	return 0;
}

void services_free(struct services **services)
{
	if (!*services)
		return;
	for (size_t i = 0; i < (*services)->count; i++)
		service_free(&(*services)->items[i]);
	words_done(&(*services)->disabled);
	free(*services);
	*services = NULL;
}
