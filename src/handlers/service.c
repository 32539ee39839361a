#include "service.h"

#include "udp_guard.h"

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

int service_datagram_new(const struct adopt_datagram_protocol_ops *ops,
			 const struct handler_settings *settings,
			 struct adopt_datagram_protocol **ret)
{
	struct service_datagram *protocol = calloc(1, sizeof *protocol);
	int error;

	if (!protocol)
		return -ENOMEM;
	error = udp_guard_new(&protocol->guard);
	if (error < 0) {
		free(protocol);
		return error;
	}
	protocol->base.ops = ops;
	protocol->settings = settings;
	*ret = &protocol->base;
	return 0;
}

void service_datagram_free(struct adopt_datagram_protocol *base)
{
	struct service_datagram *protocol = (struct service_datagram *)base;

	if (!protocol)
		return;
	udp_guard_free(&protocol->guard);
	free(protocol);
}

void service_datagram_start(struct adopt_datagram_protocol *base)
{
	struct service_datagram *protocol = (struct service_datagram *)base;
	struct adopt_address local;

	if (adopt_port_local(base->port, &local) == 0)
		protocol->own_port = adopt_address_port(&local);
}

void service_reply(struct adopt_datagram_protocol *base, const struct adopt_datagram *request,
		   const void *data, size_t length)
{
	struct service_datagram *protocol = (struct service_datagram *)base;
	uint64_t now_ms = adopt_reactor_now_ms(adopt_port_reactor(base->port));

	if (length <= udp_guard_room(request) &&
	    udp_guard_allows(protocol->guard, request, protocol->own_port, now_ms))
		(void)adopt_port_send_from(base->port, request->local, request->peer, data, length);
}
