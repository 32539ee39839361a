/*
 * handler.h - what a handler is
 *
 * A handler is one file and one `const struct handler`, listed in table.c. The
 * file holds everything about it: its option table, how the options are read,
 * its factory and protocol for streams, its protocol for datagrams.
 *
 * The way of a handler block: settings_new() reads and validates it once;
 * stream_new() then makes a factory for each reactor, datagram_new() a protocol
 * for each datagram port. All are told their host, which outlives what they make. What
 * a handler has in hand besides the connections it was given (a connection of its own,
 * a session, a child process) it counts with host_work_begin() and host_work_end(): its
 * factories, protocols and settings stay until all that is over.
 */
#ifndef HANDLERS_HANDLER_H
#define HANDLERS_HANDLER_H

#include "adopt/adopt.h"
#include "support/confine.h"
#include "support/fault.h"
#include "support/host.h"

#include <confuse.h>

/* What a handler block says, read and valid. Put it first in a struct of the
 * handler's own; immutable once made, so that threads may share it. */
struct handler_settings {
	const struct handler *handler;
	/* Where the block stands, set by who reads the configuration: the name of its port
	 * block, and the route in there, counted from 1, 0 for the port's own handler. */
	const char *port_name;
	size_t route;
};

/* A server that a handler passes clients on to. Times are the reactors'. */
struct handler_upstream {
	const char *kind;    /* stream or datagram; NULL where neither is known yet */
	const char *name;    /* NULL where an address is configured */
	const char *address; /* NULL: the name has none yet */
	size_t connections;  /* or sessions */
	bool failed;         /* it did not answer last */
	uint64_t failed_ms;  /* since when */
	uint64_t retry_ms;   /* and when it is tried again */
};

struct handler {
	/* What the configuration calls it. */
	const char *name;

	/* Its options, ended by CFG_END(). */
	const cfg_opt_t *options;

	/*
	 * Reads a block. Adds a fault for everything that is wrong with it, at
	 * section->filename and the option's line where known.
	 * ret: free with settings_free.
	 * Returns 0; -EINVAL where faults were added; -ENOMEM.
	 */
	int (*settings_new)(cfg_t *section, struct faults *faults, struct handler_settings **ret);
	void (*settings_free)(struct handler_settings *settings);

	/*
	 * Tells why these settings cannot have a socket that the handler serves otherwise;
	 * NULL for a handler whose settings can have all.
	 * type: SOCK_STREAM, SOCK_SEQPACKET or SOCK_DGRAM.
	 * Returns what follows `its handler` in a fault, or NULL.
	 */
	const char *(*misfit)(const struct handler_settings *settings, int type);

	/*
	 * Makes the factory for streams; NULL for a handler that does not serve them.
	 * settings: outlives the factory.
	 * ret: free with stream_free, after the last of the host's ports and work.
	 * Returns 0 or a negative errno.
	 */
	int (*stream_new)(const struct handler_settings *settings, struct host *host,
			  struct adopt_factory **ret);
	void (*stream_free)(struct adopt_factory *factory);

	/*
	 * Makes the protocol for one datagram port; NULL for a handler that does not
	 * serve them. Otherwise as for streams.
	 */
	int (*datagram_new)(const struct handler_settings *settings, struct host *host,
			    struct adopt_datagram_protocol **ret);
	void (*datagram_free)(struct adopt_datagram_protocol *protocol);

	/* Tells whether a datagram is of a session that a protocol has; NULL for a handler
	 * without sessions. */
	bool (*datagram_known)(struct adopt_datagram_protocol *protocol,
			       const struct adopt_datagram *datagram);

	/*
	 * No datagram will come any more, and the port ends when nothing is in hand:
	 * sessions end soon, those that await an answer when they have got it. NULL for a
	 * handler that has none.
	 */
	void (*datagram_drain)(struct adopt_datagram_protocol *protocol);

	/*
	 * Tells of each server that clients are passed on to, as all threads together know
	 * it; in any thread. NULL for a handler that passes on to nobody.
	 * tell: what it is told is gone when it returns.
	 */
	void (*upstreams)(const struct handler_settings *settings,
			  void (*tell)(void *context, const struct handler_upstream *upstream),
			  void *context);

	/*
	 * These settings are to be served: what is bounded for a block as a whole is so by
	 * them now, what earlier settings have in hand included. NULL for a handler that
	 * bounds nothing so.
	 * settings: in no other thread's hands yet, unless before is NULL.
	 * before: the block's until now; NULL where there are none, or they are these.
	 */
	void (*succeed)(struct handler_settings *settings, const struct handler_settings *before);

	/* What it needs of the system beyond serving: a set of enum confine_need. */
	unsigned needs;

	/* Tells which file a reload reads again for a block, NULL for none; NULL for a
	 * handler that reads none. */
	const char *(*file)(const struct handler_settings *settings);

	/* How many descriptors a connection needs, its own included; 0 counts as 1. */
	unsigned descriptors;

	/* Settings hold what files say: a reload makes them anew, whatever the
	 * configuration says. */
	bool reads_files;

	/*
	 * Tells whether a block, by its settings, takes the listening or datagram socket
	 * itself instead of clients: port_new() is called then, once for each port, and
	 * none of the above. NULL for a handler that never does.
	 * ret: free with port_free, otherwise as for streams.
	 */
	bool (*takes_port)(const struct handler_settings *settings);
	int (*port_new)(const struct handler_settings *settings, struct host *host,
			struct adopt_lookout **ret);
	void (*port_free)(struct adopt_lookout *lookout);
};

/* Tells whether a block takes its ports whole; see takes_port. */
bool handler_takes_port(const struct handler *handler, const struct handler_settings *settings);

/*
 * Tells why a handler, by a block's settings, serves no sockets of a kind.
 * datagrams: else streams, or records.
 * Returns what follows `its handler` in a fault; NULL where it serves them.
 */
const char *handler_refuses(const struct handler *handler, const struct handler_settings *settings,
			    bool datagrams);

/* All handlers, ended by NULL (table.c). */
extern const struct handler *const handler_table[];

/* Names of SPEC's handlers that are not built yet, ended by NULL. */
extern const char *const handler_unsupported[];

/* Finds a handler by name. Returns it or NULL. */
const struct handler *handler_find(const char *name);

#endif
