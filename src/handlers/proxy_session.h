/* proxy_session.h - one client of the proxy for datagrams, and its way to an upstream */
#ifndef HANDLERS_PROXY_SESSION_H
#define HANDLERS_PROXY_SESSION_H

#include "leg.h"
#include "proxy.h"

struct session;

/* What the sessions of one port share. */
struct session_common {
	const struct proxy_settings *settings;
	struct adopt_reactor *reactor;
	struct upstreams *upstreams;
	struct start_unit *unit; /* NULL: none */
	unsigned char *headed;   /* room for a header and a datagram, where headers are sent */
	size_t held_bytes;       /* of all that is held */

	/* The upstream has sent these to the session's client. May end the session. They are
	 * gone when it returns. */
	void (*answered)(struct session *session, const struct adopt_datagram *datagrams,
			 size_t count);

	/* There is no descriptor for the session's leg: somebody else is to give up one, on a
	 * later turn at the latest. */
	void (*cramped)(const struct session *session);
};

/* Put it first in a struct of the port's own. All but the addresses is proxy_session.c's. */
struct session {
	struct leg_owner leg_owner;
	struct session_common *common;
	struct adopt_address client;
	struct adopt_address local; /* whom the client asked, and hears answers from */
	struct leg *leg;            /* NULL: nobody to send to */
	uint64_t received;          /* bytes from the client, and sent to it */
	uint64_t sent;
	bool introduced; /* the leg has been sent the PROXY header */
	bool awaits;     /* what was sent last has not been answered */
	struct upstreams_waiter names;
	struct adopt_timer *retry; /* NULL until it is needed */
	/* The first datagram to a leg, until it is answered or connect-timeout is over: a
	   backend that is still starting is sent it again. */
	unsigned char *held;
	size_t held_length;
	uint64_t held_until_ms;
	uint64_t held_sent_ms; /* to the present leg; UINT64_MAX: not yet */
};

/* The longest datagram that IP can carry. */
#define SESSION_DATAGRAM_MAX 65535

/* Begins one for who has sent a datagram, which is not passed on by this. */
void session_init(struct session *session, struct session_common *common,
		  const struct adopt_datagram *first);

/* Ends one, which the callbacks may do. */
void session_done(struct session *session);

/* Sends a client's datagrams on; one that finds nobody is kept for when somebody is there. */
void session_deliver(struct session *session, const struct adopt_datagram *datagrams, size_t count);

/* Tells whether it would lose something by ending now. */
bool session_busy(const struct session *session);

/* Returns the text of the upstream that it goes to, NULL where there is none. */
const char *session_upstream(const struct session *session);

/* Tells whether it has a descriptor. */
bool session_has_leg(const struct session *session);

#endif
