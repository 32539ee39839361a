/* proxy.h - what the files of the proxy handler share */
#ifndef HANDLERS_PROXY_H
#define HANDLERS_PROXY_H

#include "handler.h"
#include "start_unit.h"
#include "upstreams.h"

enum proxy_header { PROXY_HEADER_NONE, PROXY_HEADER_V1, PROXY_HEADER_V2 };

/* A proxy block. Times are in milliseconds, 0 meaning never. */
struct proxy_settings {
	struct handler_settings base;
	struct endpoint *upstreams;
	size_t upstream_count;
	struct health_book *health;
	enum balance balance;
	enum proxy_header send_proxy;
	char *start_unit; /* NULL: none */
	struct start_unit_memory *unit_memory;
	uint64_t connect_timeout_ms;
	uint64_t retry_interval_ms;
	uint64_t half_close_timeout_ms;
	uint64_t session_timeout_ms;
	uint64_t max_sessions;
};

extern const struct handler handler_proxy;

/*
 * Makes the upstreams of a block for one reactor.
 * type: SOCK_STREAM or SOCK_DGRAM.
 * ret: free with upstreams_free().
 * Returns 0 or -ENOMEM.
 */
int proxy_upstreams_new(const struct proxy_settings *settings, struct adopt_reactor *reactor,
			int type, struct upstreams **ret);

/* The proxy for streams (proxy_stream.c) and for datagrams (proxy_datagram.c): as in
 * struct handler. */
int proxy_stream_new(const struct handler_settings *settings, struct host *host,
		     struct adopt_factory **ret);
void proxy_stream_free(struct adopt_factory *factory);
int proxy_datagram_new(const struct handler_settings *settings, struct host *host,
		       struct adopt_datagram_protocol **ret);
void proxy_datagram_free(struct adopt_datagram_protocol *protocol);
void proxy_datagram_drain(struct adopt_datagram_protocol *protocol);
bool proxy_datagram_known(struct adopt_datagram_protocol *protocol,
			  const struct adopt_datagram *datagram);

#endif
