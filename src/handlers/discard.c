/* discard.c - reads and drops until the peer is done (RFC 863) */
#include "service.h"

static const struct adopt_protocol_ops stream_ops = {
	.data_received = service_data_dropped,
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

static void dropped(struct adopt_datagram_protocol *protocol, const struct adopt_datagram *request)
{
	(void)protocol;
	(void)request;
}

static const struct adopt_datagram_protocol_ops datagram_ops = {
	.start = service_datagram_start,
	.datagram_received = dropped,
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
	return service_settings_new(&handler_discard, ret);
}

const struct handler handler_discard = {
	.name = "discard",
	.options = service_no_options,
	.settings_new = settings_new,
	.settings_free = service_settings_free,
	.stream_new = stream_new,
	.stream_free = service_stream_free,
	.datagram_new = datagram_new,
	.datagram_free = service_datagram_free,
};
