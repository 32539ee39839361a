/* service.h - what the small services (echo, discard, ...) share */
#ifndef HANDLERS_SERVICE_H
#define HANDLERS_SERVICE_H

#include "handler.h"

extern const struct handler handler_discard;
extern const struct handler handler_echo;

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

/* Callbacks, see adopt.h: what comes is dropped; the protocol frees itself. */
void service_data_dropped(struct adopt_protocol *protocol, const void *data, size_t length);
void service_connection_lost(struct adopt_protocol *protocol, int error);

#endif
