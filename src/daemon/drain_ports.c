/* Port blocks that accept no more until somebody says otherwise. */
#include "server_parts.h"

#include <errno.h>
#include <string.h>

static int heed(struct serving *serving, void *context)
{
	(void)context;
	serving_heed_drained(serving);
	return 0;
}

static int note(struct server *server, const char *name, bool drain)
{
	int error = 0;

	if (drained_has(&server->drained, name) == drain)
		return 0;
	if (drain)
		error = drained_add(&server->drained, name);
	else
		drained_remove(&server->drained, name);
	if (error == 0)
		log_notice("port \"%s\": %s", name,
			   drain ? "drained: it accepts no more" : "accepts again");
	return error;
}

int server_drain_ports(struct server *server, const char *name, bool drain)
{
	const struct config *config = server->setup->config;
	bool found = name == NULL;
	int error = 0, all;

	if (server->state != SERVER_SERVING || !server_has_stands(server))
		return -EBUSY;
	for (size_t i = 0; error == 0 && i < config->port_count; i++) {
		if (name && strcmp(config->ports[i].name, name) != 0)
			continue;
		found = true;
		error = note(server, config->ports[i].name, drain);
	}
	all = server_each(server, heed, NULL);
	if (error == 0)
		error = all;
	return error < 0 || found ? error : -ENOENT;
}
