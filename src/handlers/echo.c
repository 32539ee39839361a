/* echo.c - sends back what comes (RFC 862) */
#include "service.h"

/* At the bound reading stops until the peer takes its own bytes back: memory
 * stays bounded however little it reads. */
static void received(struct adopt_protocol *protocol, const void *data, size_t length)
{
	int written = adopt_transport_write(protocol->transport, data, length);

	if (written < 0)
		adopt_transport_abort(protocol->transport);
	else if (written > 0)
		adopt_transport_pause(protocol->transport);
}

static void drained(struct adopt_protocol *protocol)
{
	adopt_transport_resume(protocol->transport);
}

/* Without a read_closed the connection closes after what is queued, so that a
 * half-closing peer gets all of it. */
static const struct adopt_protocol_ops stream_ops = {
	.data_received = received,
	.drained = drained,
	.connection_lost = service_connection_lost,
};

static struct adopt_protocol *build(struct adopt_factory *factory, const struct adopt_address *peer)
{
	(void)factory;
	(void)peer;
	return service_protocol_new(&stream_ops);
}

static const struct adopt_factory_ops factory_ops = {.build_protocol = build};

static int stream_new(const struct handler_settings *settings, struct host *host,
		      struct adopt_factory **ret)
{
	(void)host;
	return service_stream_new(&factory_ops, settings, ret);
}

static void received_datagram(struct adopt_datagram_protocol *protocol,
			      const struct adopt_datagram *request)
{
	service_reply(protocol, request, request->data, request->length);
}

static const struct adopt_datagram_protocol_ops datagram_ops = {
	.start = service_datagram_start,
	.datagram_received = received_datagram,
};

static int datagram_new(const struct handler_settings *settings, struct host *host,
			struct adopt_datagram_protocol **ret)
{
	(void)host;
	return service_datagram_new(&datagram_ops, settings, ret);
}

static int settings_new(cfg_t *section, struct faults *faults, struct handler_settings **ret)
{
	(void)section;
	(void)faults;
	return service_settings_new(&handler_echo, ret);
}

const struct handler handler_echo = {
	.name = "echo",
	.options = service_no_options,
	.settings_new = settings_new,
	.settings_free = service_settings_free,
	.stream_new = stream_new,
	.stream_free = service_stream_free,
	.datagram_new = datagram_new,
	.datagram_free = service_datagram_free,
};
