/* The proxy for streams: a client is held until an upstream answers, then joined. */
#include "proxy.h"
#include "support/log.h"
#include "upstream.h"

#include <errno.h>
#include <stdlib.h>

struct proxy_factory {
	struct adopt_factory base;
	const struct proxy_settings *settings;
	struct adopt_reactor *reactor;
	struct upstreams upstreams;
};

/* One client. Its own bytes wait in the kernel until the two are joined. */
struct proxied {
	struct adopt_protocol client;
	struct adopt_protocol upstream;
	struct adopt_factory dialer;
	struct proxy_factory *factory;
	struct adopt_connector *connector;
	struct adopt_timer *retry;
	uint64_t deadline_ms; /* 0: none */
	size_t begin;         /* the upstream tried first */
	size_t tried;         /* in this round */
	unsigned connections; /* not yet lost, nor joined */
};

static struct proxied *from_client(struct adopt_protocol *protocol)
{
	return (struct proxied *)protocol;
}

static struct proxied *from_upstream(struct adopt_protocol *protocol)
{
	return (struct proxied *)((char *)protocol - offsetof(struct proxied, upstream));
}

static struct proxied *from_dialer(struct adopt_factory *factory)
{
	return (struct proxied *)((char *)factory - offsetof(struct proxied, dialer));
}

static void dial(struct proxied *proxied);

static struct upstream *current(const struct proxied *proxied)
{
	const struct upstreams *upstreams = &proxied->factory->upstreams;

	return &upstreams->items[(proxied->begin + proxied->tried) % upstreams->count];
}

/* How long one connect may take: an upstream that does not answer at all leaves the
 * others of the round their share. 0 is without end. */
static uint64_t share_ms(const struct proxied *proxied)
{
	size_t left = proxied->factory->upstreams.count - proxied->tried;
	uint64_t now = adopt_reactor_now_ms(proxied->factory->reactor);
	uint64_t share;

	if (proxied->deadline_ms == 0)
		return 0;
	if (now >= proxied->deadline_ms)
		return 1;
	share = (proxied->deadline_ms - now) / left;
	return share > 0 ? share : 1;
}

/* One address has failed: the next one, the next round, or the end. */
static void try_next(struct proxied *proxied, int error)
{
	const struct proxy_settings *settings = proxied->factory->settings;
	uint64_t now = adopt_reactor_now_ms(proxied->factory->reactor);

	upstream_note(current(proxied), error);
	if (++proxied->tried < proxied->factory->upstreams.count) {
		dial(proxied);
		return;
	}
	if (settings->retry_interval_ms == 0 ||
	    (proxied->deadline_ms && now + settings->retry_interval_ms >= proxied->deadline_ms)) {
		adopt_transport_abort(proxied->client.transport);
		return;
	}
	proxied->tried = 0;
	adopt_timer_start(proxied->retry, settings->retry_interval_ms);
}

static void connect_failed(struct adopt_factory *dialer, int error)
{
	struct proxied *proxied = from_dialer(dialer);

	proxied->connector = NULL;
	/* Where the reactor ends, so does the client. */
	if (error != -ECANCELED)
		try_next(proxied, error);
}

static struct adopt_protocol *build_upstream(struct adopt_factory *dialer,
					     const struct adopt_address *peer)
{
	(void)peer;
	return &from_dialer(dialer)->upstream;
}

static const struct adopt_factory_ops dialer_ops = {
	.build_protocol = build_upstream,
	.connect_failed = connect_failed,
};

/* Records go on as records where the upstream can have them. */
static int upstream_type(const struct proxied *proxied, const struct adopt_address *address)
{
	int family = adopt_address_family(address);

	return family == AF_INET || family == AF_INET6
		       ? SOCK_STREAM
		       : adopt_transport_type(proxied->client.transport);
}

static void dial(struct proxied *proxied)
{
	const struct adopt_address *address = &current(proxied)->address;
	int error = adopt_connect_stream(proxied->factory->reactor, address,
					 upstream_type(proxied, address), share_ms(proxied),
					 &proxied->dialer, &proxied->connector);

	if (error < 0)
		try_next(proxied, error);
}

static void dial_again(void *context)
{
	dial(context);
}

static void proxied_free(struct proxied *proxied)
{
	if (proxied->connector)
		adopt_connector_cancel(&proxied->connector);
	adopt_timer_free(&proxied->retry);
	free(proxied);
}

static void finished(void *context, const struct adopt_join_result *result)
{
	log_debug("proxy: %llu bytes to the upstream, %llu back: %s",
		  (unsigned long long)result->bytes_from[0],
		  (unsigned long long)result->bytes_from[1], adopt_error_text(result->error));
	proxied_free(context);
}

static void upstream_made(struct adopt_protocol *protocol)
{
	struct proxied *proxied = from_upstream(protocol);

	proxied->connections++;
	proxied->connector = NULL;
	adopt_timer_free(&proxied->retry);
	upstream_note(current(proxied), 0);
	if (adopt_join(proxied->client.transport, protocol->transport,
		       proxied->factory->settings->half_close_timeout_ms, finished, proxied) < 0) {
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

static void upstream_lost(struct adopt_protocol *protocol, int error)
{
	(void)error;
	release(from_upstream(protocol));
}

static void client_lost(struct adopt_protocol *protocol, int error)
{
	(void)error;
	release(from_client(protocol));
}

static void client_made(struct adopt_protocol *protocol)
{
	from_client(protocol)->connections++;
	adopt_transport_pause(protocol->transport);
	dial(from_client(protocol));
}

static const struct adopt_protocol_ops client_ops = {
	.connection_made = client_made,
	.data_received = ignore_data,
	.connection_lost = client_lost,
};

static const struct adopt_protocol_ops upstream_ops = {
	.connection_made = upstream_made,
	.data_received = ignore_data,
	.connection_lost = upstream_lost,
};

static struct adopt_protocol *build_client(struct adopt_factory *base,
					   const struct adopt_address *peer)
{
	struct proxy_factory *factory = (struct proxy_factory *)base;
	uint64_t timeout_ms = factory->settings->connect_timeout_ms;
	struct proxied *proxied = calloc(1, sizeof *proxied);

	(void)peer;
	if (!proxied)
		return NULL;
	*proxied = (struct proxied){
		.client = {.ops = &client_ops},
		.upstream = {.ops = &upstream_ops},
		.dialer = {.ops = &dialer_ops},
		.factory = factory,
		.deadline_ms = timeout_ms ? adopt_reactor_now_ms(factory->reactor) + timeout_ms : 0,
		.begin = upstreams_begin(&factory->upstreams),
	};
	if (adopt_timer_new(factory->reactor, dial_again, proxied, &proxied->retry) < 0) {
		free(proxied);
		return NULL;
	}
	return &proxied->client;
}

static const struct adopt_factory_ops factory_ops = {.build_protocol = build_client};

int proxy_stream_new(const struct handler_settings *base, struct adopt_reactor *reactor,
		     struct adopt_factory **ret)
{
	const struct proxy_settings *settings = (const struct proxy_settings *)base;
	struct proxy_factory *factory = calloc(1, sizeof *factory);
	int error;

	if (!factory)
		return -ENOMEM;
	error = upstreams_resolve(settings->upstreams, settings->upstream_count, SOCK_STREAM,
				  &factory->upstreams);
	if (error < 0) {
		free(factory);
		return error;
	}
	factory->base.ops = &factory_ops;
	factory->settings = settings;
	factory->reactor = reactor;
	*ret = &factory->base;
	return 0;
}

void proxy_stream_free(struct adopt_factory *base)
{
	struct proxy_factory *factory = (struct proxy_factory *)base;

	upstreams_free(&factory->upstreams);
	free(factory);
}
