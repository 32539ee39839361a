#include "oneshot.h"

#include "udp_guard.h"

#include <errno.h>
#include <stdlib.h>

struct speaker {
	struct adopt_protocol base;
	const struct oneshot_settings *settings;
};

static const struct oneshot_settings *settings_of(const struct handler_settings *settings)
{
	return (const struct oneshot_settings *)settings;
}

int oneshot_settings_new(const struct handler *handler,
			 size_t (*say)(const struct oneshot_settings *settings, char *text),
			 struct handler_settings **ret)
{
	struct oneshot_settings *settings = calloc(1, sizeof *settings);

	if (!settings)
		return -ENOMEM;
	settings->base.handler = handler;
	settings->say = say;
	*ret = &settings->base;
	return 0;
}

static void connected(struct adopt_protocol *protocol)
{
	const struct oneshot_settings *settings = ((struct speaker *)protocol)->settings;
	char text[ONESHOT_BYTES];
	size_t length = settings->say(settings, text);

	if (length > 0 && adopt_transport_write(protocol->transport, text, length) < 0)
		adopt_transport_abort(protocol->transport);
	else
		adopt_transport_close(protocol->transport);
}

static const struct adopt_protocol_ops stream_ops = {
	.connection_made = connected,
	.data_received = service_data_dropped,
	.connection_lost = service_connection_lost,
};

static struct adopt_protocol *build(struct adopt_factory *factory, const struct adopt_address *peer)
{
	struct speaker *speaker = calloc(1, sizeof *speaker);

	(void)peer;
	if (!speaker)
		return NULL;
	speaker->base.ops = &stream_ops;
	speaker->settings = settings_of(((struct service_factory *)factory)->settings);
	return &speaker->base;
}

static const struct adopt_factory_ops factory_ops = {.build_protocol = build};

int oneshot_stream_new(const struct handler_settings *settings, struct host *host,
		       struct adopt_factory **ret)
{
	(void)host;
	return service_stream_new(&factory_ops, settings, ret);
}

static void asked(struct adopt_datagram_protocol *protocol, const struct adopt_datagram *request)
{
	const struct oneshot_settings *settings =
		settings_of(((struct service_datagram *)protocol)->settings);
	char text[ONESHOT_BYTES];
	size_t length = settings->say(settings, text);
	size_t room = udp_guard_room(request);

	if (length == 0)
		return;
	if (settings->may_be_cut && length > room)
		length = room;
	service_reply(protocol, request, text, length);
}

static const struct adopt_datagram_protocol_ops datagram_ops = {
	.start = service_datagram_start,
	.datagram_received = asked,
};

int oneshot_datagram_new(const struct handler_settings *settings, struct host *host,
			 struct adopt_datagram_protocol **ret)
{
	(void)host;
	return service_datagram_new(&datagram_ops, settings, ret);
}
