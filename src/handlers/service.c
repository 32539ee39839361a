#include "service.h"

#include <errno.h>
#include <stdlib.h>

const cfg_opt_t service_no_options[] = {CFG_END()};

int service_settings_new(const struct handler *handler, struct handler_settings **ret)
{
	struct handler_settings *settings = calloc(1, sizeof *settings);

	if (!settings)
		return -ENOMEM;
	settings->handler = handler;
	*ret = settings;
	return 0;
}

void service_settings_free(struct handler_settings *settings)
{
	free(settings);
}

int service_stream_new(const struct adopt_factory_ops *ops, const struct handler_settings *settings,
		       struct adopt_factory **ret)
{
	struct service_factory *factory = calloc(1, sizeof *factory);

	if (!factory)
		return -ENOMEM;
	factory->base.ops = ops;
	factory->settings = settings;
	*ret = &factory->base;
	return 0;
}

void service_stream_free(struct adopt_factory *factory)
{
	free(factory);
}

struct adopt_protocol *service_protocol_new(const struct adopt_protocol_ops *ops)
{
	struct adopt_protocol *protocol = calloc(1, sizeof *protocol);

	if (protocol)
		protocol->ops = ops;
	return protocol;
}

void service_data_dropped(struct adopt_protocol *protocol, const void *data, size_t length)
{
	(void)protocol;
	(void)data;
	(void)length;
}

void service_connection_lost(struct adopt_protocol *protocol, int error)
{
	(void)error;
	free(protocol);
}
