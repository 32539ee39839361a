#include "memory_proxy.h"

#include <check.h>

struct adopt_reactor *reactor;
struct host host;
struct proxy_settings settings;
struct adopt_factory *factory;

static struct endpoint endpoints[2];

void memory_proxy_start(size_t upstreams)
{
	ck_assert_int_eq(endpoint_parse("192.0.2.10:80", &endpoints[0]), 0);
	ck_assert_int_eq(endpoint_parse("unix:/run/second", &endpoints[1]), 0);
	settings = (struct proxy_settings){
		.base.handler = &handler_proxy,
		.upstreams = endpoints,
		.upstream_count = upstreams,
		.connect_timeout_ms = 1000,
		.retry_interval_ms = 100,
	};
	ck_assert_int_eq(health_book_new(&settings.health), 0);
	ck_assert_int_eq(adopt_memory_reactor_new(&reactor), 0);
	host_init(&host, reactor, NULL);
	ck_assert_int_eq(proxy_stream_new(&settings.base, &host, &factory), 0);
}

void memory_proxy_again(void)
{
	proxy_stream_free(factory);
	ck_assert_int_eq(proxy_stream_new(&settings.base, &host, &factory), 0);
}

void memory_proxy_stop(void)
{
	adopt_reactor_free(&reactor);
	ck_assert_uint_eq(host.work, 0);
	proxy_stream_free(factory);
	health_book_close(&settings.health);
}

struct adopt_transport *client(void)
{
	struct adopt_transport *transport = NULL;

	ck_assert_int_eq(adopt_memory_transport_new(reactor, factory, NULL, NULL, &transport), 0);
	return transport;
}
