/* The proxy for streams: a client is held until an upstream answers, then joined. */
#include "dial.h"
#include "proxy.h"
#include "support/log.h"
#include "support/proxy_protocol.h"

#include <errno.h>
#include <stdlib.h>

struct proxy_factory {
	struct adopt_factory base;
	const struct proxy_settings *settings;
	struct host *host;
	struct upstreams *upstreams;
	/* Clients of SOCK_STREAM and of SOCK_SEQPACKET: an upstream may answer just one kind. */
	struct dial_queue streams, records;
	struct start_unit *unit; /* NULL: none */
	unsigned clients;
};

/* One client. Its own bytes wait in the kernel until the two are joined. */
struct proxied {
	struct adopt_protocol client;
	struct adopt_protocol server;
	struct proxy_factory *factory;
	union {
		struct dial *dial;         /* until somebody has answered */
		struct upstream *upstream; /* who has */
	};
	bool answered;
	unsigned char connections; /* not yet lost, nor joined */
};

static struct proxied *from_client(struct adopt_protocol *protocol)
{
	return (struct proxied *)protocol;
}

static struct proxied *from_server(struct adopt_protocol *protocol)
{
	return (struct proxied *)((char *)protocol - offsetof(struct proxied, server));
}

/* What waits for nobody's sake any more ends with the last client. */
static void client_gone(struct proxy_factory *factory)
{
	host_work_end(factory->host);
	if (--factory->clients > 0)
		return;
	dial_queue_stop(&factory->streams);
	dial_queue_stop(&factory->records);
	upstreams_stop(factory->upstreams);
	if (factory->unit)
		start_unit_stop(factory->unit);
}

static void proxied_free(struct proxied *proxied)
{
	if (proxied->answered) {
		upstream_leave(proxied->upstream);
		upstream_unref(&proxied->upstream);
	} else {
		dial_free(&proxied->dial);
	}
	client_gone(proxied->factory);
	free(proxied);
}

static void finished(void *context, const struct adopt_join_result *result)
{
	log_debug("proxy: %llu bytes to the upstream, %llu back: %s",
		  (unsigned long long)result->bytes_from[0],
		  (unsigned long long)result->bytes_from[1], adopt_error_text(result->error));
	proxied_free(context);
}

/* The header says who the client is; unlike all else it is for the upstream alone. */
static int send_header(const struct proxied *proxied)
{
	struct proxy_protocol_header header = {.type = SOCK_STREAM};
	uint8_t bytes[PROXY_PROTOCOL_WRITE_BYTES];
	size_t length;

	if (adopt_transport_peer(proxied->client.transport, &header.source) < 0 ||
	    adopt_transport_local(proxied->client.transport, &header.destination) < 0)
		header.local = true;
	length = proxied->factory->settings->send_proxy == PROXY_HEADER_V1
			 ? proxy_protocol_write_v1(&header, bytes)
			 : proxy_protocol_write_v2(&header, bytes);
	return adopt_transport_write(proxied->server.transport, bytes, length);
}

static void server_made(struct adopt_protocol *protocol)
{
	struct proxied *proxied = from_server(protocol);
	const struct proxy_settings *settings = proxied->factory->settings;
	struct upstream *upstream = upstream_ref(dial_upstream(proxied->dial));
	int error = 0;

	proxied->connections++;
	upstream_enter(upstream);
	dial_free(&proxied->dial);
	proxied->answered = true;
	proxied->upstream = upstream;
	adopt_transport_set_note(proxied->client.transport, upstream->health->text);
	if (proxied->factory->unit)
		start_unit_served(proxied->factory->unit);
	if (settings->send_proxy != PROXY_HEADER_NONE)
		error = send_header(proxied);
	if (error >= 0)
		error = adopt_join(proxied->client.transport, protocol->transport,
				   settings->half_close_timeout_ms, finished, proxied);
	if (error < 0) {
		adopt_transport_abort(protocol->transport);
		adopt_transport_abort(proxied->client.transport);
	}
}

static void ignore_data(struct adopt_protocol *protocol, const void *data, size_t length)
{
	(void)protocol;
	(void)data;
	(void)length;
}

/* Not reached once the two have been joined. */
static void release(struct proxied *proxied)
{
	if (--proxied->connections == 0)
		proxied_free(proxied);
}

static void server_lost(struct adopt_protocol *protocol, int error)
{
	(void)error;
	release(from_server(protocol));
}

static void client_lost(struct adopt_protocol *protocol, int error)
{
	struct proxied *proxied = from_client(protocol);

	(void)error;
	if (!proxied->answered)
		dial_free(&proxied->dial);
	release(proxied);
}

static void nobody_answers(void *context)
{
	struct start_unit *unit = ((struct proxied *)context)->factory->unit;

	if (unit)
		start_unit_missed(unit);
}

static void dial_failed(void *context, int error)
{
	struct proxied *proxied = context;
	char text[ADOPT_ADDRESS_TEXT_SIZE];
	struct adopt_address peer = {0};

	adopt_transport_peer(proxied->client.transport, &peer);
	log_debug("proxy: no upstream for %s: %s", adopt_address_format(&peer, text, sizeof text),
		  adopt_error_text(error));
	adopt_transport_abort(proxied->client.transport);
}

static int begin(struct proxied *proxied)
{
	struct proxy_factory *factory = proxied->factory;
	int type = adopt_transport_type(proxied->client.transport);
	struct dial_order order = {
		.upstreams = factory->upstreams,
		.reactor = factory->host->reactor,
		.type = type,
		.timeout_ms = factory->settings->connect_timeout_ms,
		.queue = type == SOCK_STREAM ? &factory->streams : &factory->records,
		.protocol = &proxied->server,
		.nobody = nobody_answers,
		.failed = dial_failed,
		.context = proxied,
	};

	adopt_transport_peer(proxied->client.transport, &order.client);
	if (factory->unit)
		start_unit_needed(factory->unit);
	return dial_begin(&order, &proxied->dial);
}

static void client_made(struct adopt_protocol *protocol)
{
	struct proxied *proxied = from_client(protocol);

	proxied->connections++;
	adopt_transport_pause(protocol->transport);
	if (begin(proxied) < 0)
		adopt_transport_abort(protocol->transport);
}

static const struct adopt_protocol_ops client_ops = {
	.connection_made = client_made,
	.data_received = ignore_data,
	.connection_lost = client_lost,
};

static const struct adopt_protocol_ops server_ops = {
	.connection_made = server_made,
	.data_received = ignore_data,
	.connection_lost = server_lost,
};

static struct adopt_protocol *build_client(struct adopt_factory *base,
					   const struct adopt_address *peer)
{
	struct proxy_factory *factory = (struct proxy_factory *)base;
	struct proxied *proxied = malloc(sizeof *proxied);

	(void)peer;
	if (!proxied)
		return NULL;
	*proxied = (struct proxied){
		.client = {.ops = &client_ops},
		.server = {.ops = &server_ops},
		.factory = factory,
	};
	factory->clients++;
	host_work_begin(factory->host);
	return &proxied->client;
}

static const struct adopt_factory_ops factory_ops = {.build_protocol = build_client};

int proxy_stream_new(const struct handler_settings *base, struct host *host,
		     struct adopt_factory **ret)
{
	const struct proxy_settings *settings = (const struct proxy_settings *)base;
	struct proxy_factory *factory = calloc(1, sizeof *factory);
	int error;

	if (!factory)
		return -ENOMEM;
	factory->base.ops = &factory_ops;
	factory->settings = settings;
	factory->host = host;
	dial_queue_init(&factory->streams, host->reactor, settings->retry_interval_ms);
	dial_queue_init(&factory->records, host->reactor, settings->retry_interval_ms);
	error = proxy_upstreams_new(settings, host->reactor, SOCK_STREAM, &factory->upstreams);
	if (error == 0 && settings->start_unit)
		error = start_unit_new(host->reactor, settings->start_unit, settings->unit_memory,
				       &factory->unit);
	if (error < 0) {
		proxy_stream_free(&factory->base);
		return error;
	}
	*ret = &factory->base;
	return 0;
}

void proxy_stream_free(struct adopt_factory *base)
{
	struct proxy_factory *factory = (struct proxy_factory *)base;

	start_unit_free(&factory->unit);
	upstreams_free(&factory->upstreams);
	free(factory);
}
