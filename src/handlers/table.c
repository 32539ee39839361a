#include "exec.h"
#include "handler.h"
#include "proxy.h"
#include "service.h"

#include <string.h>

const struct handler *const handler_table[] = {
	&handler_echo, &handler_discard, &handler_chargen, &handler_daytime, &handler_time,
	&handler_qotd, &handler_proxy,   &handler_exec,    &handler_reject,  NULL,
};

const char *const handler_unsupported[] = {"http", "redirect", "status", NULL};

const struct handler *handler_find(const char *name)
{
	for (size_t i = 0; handler_table[i]; i++)
		if (strcmp(handler_table[i]->name, name) == 0)
			return handler_table[i];
	return NULL;
}

bool handler_takes_port(const struct handler *handler, const struct handler_settings *settings)
{
	return handler->takes_port && handler->takes_port(settings);
}

const char *handler_refuses(const struct handler *handler, const struct handler_settings *settings,
			    bool datagrams)
{
	if (handler_takes_port(handler, settings))
		return NULL;
	if (!datagrams)
		return handler->stream_new ? NULL : "serves only datagrams";
	if (handler->datagram_new)
		return NULL;
	return handler->takes_port ? "serves datagrams only with `wait = true`, and not in a route"
				   : "serves only streams";
}
