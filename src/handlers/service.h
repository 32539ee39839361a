/* service.h - what the small services (echo, discard, ...) share */
#ifndef HANDLERS_SERVICE_H
#define HANDLERS_SERVICE_H

#include "handler.h"

extern const struct handler handler_chargen;
extern const struct handler handler_daytime;
extern const struct handler handler_discard;
extern const struct handler handler_echo;
extern const struct handler handler_qotd;
extern const struct handler handler_reject;
extern const struct handler handler_time;

/* The option table of a handler without options. */
extern const cfg_opt_t service_no_options[];

/* settings_new and settings_free of a handler without options; see handler.h.
 * The former leaves settings->handler to its caller. */
int service_settings_new(const struct handler *handler, struct handler_settings **ret);
void service_settings_free(struct handler_settings *settings);

/* The factory of a small service. Its handler brings the callbacks. */
struct service_factory {
	struct adopt_factory base;
	const struct handler_settings *settings; /* the caller's, outlives the factory */
};

/*
 * Makes a service's factory.
 * ops: static.
 * settings: outlives the factory.
 * ret: free with service_stream_free().
 * Returns 0 or -ENOMEM.
 */
int service_stream_new(const struct adopt_factory_ops *ops, const struct handler_settings *settings,
		       struct adopt_factory **ret);

/* stream_free of a small service; see handler.h. */
void service_stream_free(struct adopt_factory *factory);

/*
 * Makes a protocol that has no state of its own.
 * ops: static; connection_lost is service_connection_lost().
 * Returns NULL where memory is short.
 */
struct adopt_protocol *service_protocol_new(const struct adopt_protocol_ops *ops);

/* The protocol of a small service's datagram port. Its handler brings the callbacks. */
struct service_datagram {
	struct adopt_datagram_protocol base;
	const struct handler_settings *settings; /* the caller's, outlives the protocol */
	struct udp_guard *guard;
	unsigned own_port; /* 0 where there is none */
};

/*
 * Makes the protocol for one datagram port.
 * ops: static; start is service_datagram_start().
 * settings: outlives the protocol.
 * ret: free with service_datagram_free().
 * Returns 0 or -ENOMEM.
 */
int service_datagram_new(const struct adopt_datagram_protocol_ops *ops,
			 const struct handler_settings *settings,
			 struct adopt_datagram_protocol **ret);

/* datagram_free of a small service; see handler.h. */
void service_datagram_free(struct adopt_datagram_protocol *protocol);

/* Callback, see adopt.h: the port starts. */
void service_datagram_start(struct adopt_datagram_protocol *protocol);

/*
 * Answers a datagram where udp_guard.h allows it. A reply that is larger than the
 * guard's room is not sent: cut it before where that makes sense. One that cannot be
 * sent is lost, as datagrams may be.
 */
void service_reply(struct adopt_datagram_protocol *protocol, const struct adopt_datagram *request,
		   const void *data, size_t length);

/* Callbacks, see adopt.h: what comes is dropped; the protocol frees itself. */
void service_data_dropped(struct adopt_protocol *protocol, const void *data, size_t length);
void service_connection_lost(struct adopt_protocol *protocol, int error);

#endif
