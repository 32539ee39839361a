/* proxy.h - what the files of the proxy handler share */
#ifndef HANDLERS_PROXY_H
#define HANDLERS_PROXY_H

#include "handler.h"

/* A proxy block. Times are in milliseconds, 0 meaning never. */
struct proxy_settings {
	struct handler_settings base;
	char **upstreams; /* endpoint_check() has found each good */
	size_t upstream_count;
	uint64_t connect_timeout_ms;
	uint64_t retry_interval_ms;
	uint64_t half_close_timeout_ms;
	uint64_t session_timeout_ms;
	uint64_t max_sessions;
};

extern const struct handler handler_proxy;

/* The proxy for streams (proxy_stream.c) and for datagrams (proxy_datagram.c): as in
 * struct handler. */
int proxy_stream_new(const struct handler_settings *settings, struct adopt_reactor *reactor,
		     struct adopt_factory **ret);
void proxy_stream_free(struct adopt_factory *factory);
int proxy_datagram_new(const struct handler_settings *settings, struct adopt_reactor *reactor,
		       struct adopt_datagram_protocol **ret);
void proxy_datagram_free(struct adopt_datagram_protocol *protocol);

#endif
