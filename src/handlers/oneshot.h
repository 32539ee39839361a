/*
 * oneshot.h - services that say one thing
 *
 * To a stream it is written, and the connection closed; what the client sends is
 * dropped. To a datagram it is the reply.
 */
#ifndef HANDLERS_ONESHOT_H
#define HANDLERS_ONESHOT_H

#include "service.h"

/* The most that such a service says. */
#define ONESHOT_BYTES 512

/* The settings of such a service. Put it first in a struct of the handler's own. */
struct oneshot_settings {
	struct handler_settings base;
	/*
	 * Composes what is said to one client.
	 * text: ONESHOT_BYTES long.
	 * Returns how many of them it has filled; 0 where there is nothing to be said.
	 */
	size_t (*say)(const struct oneshot_settings *settings, char *text);
	/* Over UDP a reply that does not fit is cut, not left out. */
	bool may_be_cut;
};

/*
 * Makes the settings of a service without options.
 * ret: free with service_settings_free().
 * Returns 0 or -ENOMEM.
 */
int oneshot_settings_new(const struct handler *handler,
			 size_t (*say)(const struct oneshot_settings *settings, char *text),
			 struct handler_settings **ret);

/*
 * stream_new and datagram_new of such a service; see handler.h. Free with
 * service_stream_free() and service_datagram_free().
 * settings: a struct oneshot_settings.
 */
int oneshot_stream_new(const struct handler_settings *settings, struct host *host,
		       struct adopt_factory **ret);
int oneshot_datagram_new(const struct handler_settings *settings, struct host *host,
			 struct adopt_datagram_protocol **ret);

#endif
