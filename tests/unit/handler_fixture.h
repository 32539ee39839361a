/* handler_fixture.h - a handler on the memory reactor */
#ifndef UNIT_HANDLER_FIXTURE_H
#define UNIT_HANDLER_FIXTURE_H

#include "handlers/handler.h"

/* What a test works with: the reactor, and one handler block at a time. */
struct handler_fixture {
	struct adopt_reactor *reactor;
	struct host host;
	struct faults *faults;
	const struct handler *handler;
	struct handler_settings *settings;
	struct adopt_factory *factory;
	struct adopt_datagram_protocol *protocol;
	struct adopt_port *port;
};

/* Makes a memory reactor, or frees it and all that the block has made. */
void fixture_init(struct handler_fixture *fixture);
void fixture_done(struct handler_fixture *fixture);

/* Reads a block, written as between its braces. Returns what settings_new returns. */
int fixture_read(struct handler_fixture *fixture, const char *handler, const char *options);

/* Reads a block without a fault and connects a client to it. */
struct adopt_transport *fixture_connect(struct handler_fixture *fixture, const char *handler,
					const char *options);

/* Reads a block without a fault and opens its datagram port.
 * max_packet_size: 0 for the default. */
void fixture_open(struct handler_fixture *fixture, const char *handler, const char *options,
		  int family, size_t max_packet_size);

/* Tells whether all connections have ended, after what waits in the loop has run. */
bool fixture_all_lost(struct handler_fixture *fixture);

#endif
