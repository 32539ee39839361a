/* The proxy for datagrams: a session a client, each with a connected socket of its own
 * towards one upstream, so that only that one can answer. */
#include "leg.h"
#include "proxy.h"
#include "support/datagram_key.h"
#include "support/keyed_hash.h"
#include "support/log.h"
#include "support/proxy_protocol.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Clients choose their addresses, so uthash is to hash with a secret of the relay, which
 * each function that looks something up calls `relay`. */
#define HASH_FUNCTION(keyptr, keylen, hashv)                                                       \
	((hashv) = (unsigned)keyed_hash(&relay->secret, (keyptr), (keylen)))
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* The longest datagram that IP can carry. */
#define DATAGRAM_BYTES_MAX 65535

/* How long sessions that await an answer outlive a drain. */
#define DRAIN_MS 5000

/* What all sessions together keep of first datagrams that have not been answered. */
#define HELD_BYTES_MAX (1024 * 1024)

struct session {
	struct leg_owner leg_owner;
	struct relay *relay;
	struct leg *leg; /* NULL: nobody to send to */
	bool introduced; /* the leg has been sent the PROXY header */
	bool awaits;     /* what was sent last has not been answered */
	struct adopt_address client;
	struct adopt_address local; /* whom the client asked, and hears answers from */
	uint64_t used_ms;
	struct upstreams_waiter names;
	struct adopt_timer *retry; /* NULL until it is needed */
	/* The first datagram to a leg, until it is answered or connect-timeout is over: a
	   backend that is still starting is sent it again. */
	unsigned char *held;
	size_t held_length;
	uint64_t held_until_ms;
	TAILQ_ENTRY(session) by_use; /* the longest idle first */
	UT_hash_handle hh;
	unsigned char key[];
};

struct relay {
	struct adopt_datagram_protocol base;
	const struct proxy_settings *settings;
	struct host *host;
	struct adopt_reactor *reactor; /* the host's */
	struct upstreams *upstreams;
	struct start_unit *unit; /* NULL: none */
	struct hash_key secret;
	struct session *sessions; /* by key */
	TAILQ_HEAD(session_queue, session) by_use;
	struct adopt_timer *expiry;
	size_t held_bytes;
	unsigned char *headed; /* room for a header and a datagram, where headers are sent */
	bool cut_told;         /* of a datagram that was cut, once */
	bool shortage_told;    /* likewise, that sessions find no descriptor */
	bool draining;
	uint64_t drain_until_ms;
};

static struct relay *relay_of(struct adopt_datagram_protocol *protocol)
{
	return (struct relay *)protocol;
}

static uint64_t now_ms(const struct relay *relay)
{
	return adopt_reactor_now_ms(relay->reactor);
}

/* --- a session's leg --- */

static struct session *session_of(struct leg_owner *owner)
{
	return (struct session *)owner;
}

static void release_held(struct session *session)
{
	session->relay->held_bytes -= session->held_length;
	session->held_length = 0;
	free(session->held);
	session->held = NULL;
}

static void session_used(struct session *session)
{
	struct relay *relay = session->relay;

	session->used_ms = now_ms(relay);
	TAILQ_REMOVE(&relay->by_use, session, by_use);
	TAILQ_INSERT_TAIL(&relay->by_use, session, by_use);
}

static void session_end(struct session *session);

static void leg_answered(struct leg_owner *owner, const void *data, size_t length)
{
	struct session *session = session_of(owner);
	struct relay *relay = session->relay;
	int error;

	release_held(session);
	session_used(session);
	if (relay->unit)
		start_unit_served(relay->unit);
	error = adopt_port_send_from(relay->base.port, &session->local, &session->client, data,
				     length);
	if (error < 0)
		log_debug("proxy: an answer was lost: %s", strerror(-error));
	session->awaits = false;
	if (relay->draining)
		session_end(session);
}

static void try_later(struct session *session);

static void leg_refused(struct leg_owner *owner)
{
	try_later(session_of(owner));
}

static void session_end(struct session *session);

/* The process has no descriptor left: the longest idle session gives up its own, on a
 * later turn. */
static void make_room(const struct session *session)
{
	struct relay *relay = session->relay;
	struct session *idle;

	if (!relay->shortage_told)
		log_warning("proxy: no descriptor is left for a session: the longest idle ends");
	relay->shortage_told = true;
	TAILQ_FOREACH (idle, &relay->by_use, by_use)
		if (idle->leg && idle != session) {
			session_end(idle);
			return;
		}
}

/* Gives a session its leg to the upstream whose turn it is, of those that can be reached. */
static int session_connect(struct session *session)
{
	struct relay *relay = session->relay;
	const struct balance_client client = {
		.address = &session->client,
		.now_ms = now_ms(relay),
	};
	int error = -EHOSTUNREACH;

	leg_free(&session->leg);
	session->introduced = false;
	for (size_t left = upstreams_count(relay->upstreams); left > 0 && error < 0; left--) {
		struct upstream *upstream = upstreams_choose(relay->upstreams, &client);

		upstream_tried(upstream, client.now_ms);
		error = leg_new(relay->reactor, upstream, &session->leg_owner, &session->leg);
		if (error < 0 && !upstream_at_fault(error)) {
			make_room(session);
			break;
		}
		if (error < 0)
			upstream_failed(upstream, error, client.now_ms);
	}
	return error;
}

/* --- sending --- */

/* Puts the header of PROXY version 2 in front: each leg's upstream hears it once. */
static size_t put_header(const struct session *session, const void *data, size_t length)
{
	const struct proxy_protocol_header header = {
		.type = SOCK_DGRAM,
		.source = session->client,
		.destination = session->local,
	};
	unsigned char *headed = session->relay->headed;
	size_t header_length = proxy_protocol_write_v2(&header, headed);

	memcpy(headed + header_length, data, length);
	return header_length + length;
}

static void session_send(struct session *session, const void *data, size_t length)
{
	struct relay *relay = session->relay;

	if (relay->headed && !session->introduced) {
		length = put_header(session, data, length);
		data = relay->headed;
	}
	session->awaits = true;
	if (leg_send(session->leg, data, length) == 0)
		session->introduced = true;
	else if (leg_dead(session->leg))
		try_later(session);
}

/* What waits for a leg goes first. */
static int send_held(struct session *session)
{
	int error = session_connect(session);

	if (error < 0)
		try_later(session);
	else if (session->held)
		session_send(session, session->held, session->held_length);
	return error;
}

static bool has_leg(const struct session *session)
{
	return session->leg && !leg_dead(session->leg);
}

static void retry(void *context)
{
	struct session *session = context;
	struct relay *relay = session->relay;

	if (now_ms(relay) >= session->held_until_ms)
		release_held(session);
	if (!session->held || has_leg(session))
		return;
	if (relay->unit)
		start_unit_missed(relay->unit);
	if (upstreams_ready(relay->upstreams, &session->names))
		(void)send_held(session);
}

/* Nothing is tried for the sake of a session that has nothing to say. */
static void try_later(struct session *session)
{
	struct relay *relay = session->relay;

	if (!session->held || relay->settings->retry_interval_ms == 0)
		return;
	if (!session->retry && adopt_timer_new(relay->reactor, retry, session, &session->retry) < 0)
		return;
	adopt_timer_start(session->retry, relay->settings->retry_interval_ms);
}

static void names_found(struct upstreams_waiter *waiter)
{
	(void)send_held((struct session *)((char *)waiter - offsetof(struct session, names)));
}

/* Keeps a session's first datagram. Returns false where there is no room. */
static bool hold(struct session *session, const struct adopt_datagram *datagram)
{
	struct relay *relay = session->relay;
	uint64_t timeout_ms = relay->settings->connect_timeout_ms;

	if (relay->held_bytes + datagram->length > HELD_BYTES_MAX)
		return false;
	session->held = malloc(datagram->length + 1);
	if (!session->held)
		return false;
	memcpy(session->held, datagram->data, datagram->length);
	session->held_length = datagram->length;
	relay->held_bytes += datagram->length;
	session->held_until_ms = timeout_ms ? now_ms(relay) + timeout_ms : UINT64_MAX;
	return true;
}

/* --- sessions --- */

static void await_expiry(struct relay *relay)
{
	struct session *oldest = TAILQ_FIRST(&relay->by_use);
	uint64_t timeout_ms = relay->settings->session_timeout_ms;
	uint64_t now = now_ms(relay);

	if (oldest && relay->draining) {
		adopt_timer_start(relay->expiry,
				  relay->drain_until_ms > now ? relay->drain_until_ms - now : 0);
		return;
	}
	if (!oldest || timeout_ms == 0)
		return;
	adopt_timer_start(relay->expiry, oldest->used_ms + timeout_ms > now
						 ? oldest->used_ms + timeout_ms - now
						 : 0);
}

static void session_end(struct session *session)
{
	struct relay *relay = session->relay;

	HASH_DEL(relay->sessions, session);
	TAILQ_REMOVE(&relay->by_use, session, by_use);
	upstreams_leave(&session->names);
	adopt_timer_free(&session->retry);
	release_held(session);
	leg_free(&session->leg);
	host_work_end(relay->host);
	free(session);
}

static bool is_over(const struct session *session, uint64_t now)
{
	const struct relay *relay = session->relay;
	uint64_t timeout_ms = relay->settings->session_timeout_ms;

	return (relay->draining && relay->drain_until_ms <= now) ||
	       (timeout_ms > 0 && session->used_ms + timeout_ms <= now);
}

static void expire(void *context)
{
	struct relay *relay = context;
	uint64_t now = now_ms(relay);
	struct session *oldest;

	while ((oldest = TAILQ_FIRST(&relay->by_use)) && is_over(oldest, now))
		session_end(oldest);
	await_expiry(relay);
}

static struct session *session_new(struct relay *relay, const struct adopt_datagram *datagram,
				   const struct datagram_key *key)
{
	struct session *session;

	/* A timer ends before its reactor, so the first session makes it, and the
	   port's stop ends it. */
	if (!relay->expiry && adopt_timer_new(relay->reactor, expire, relay, &relay->expiry) < 0)
		return NULL;
	session = calloc(1, sizeof *session + key->length);
	if (!session)
		return NULL;
	session->relay = relay;
	session->client = *datagram->peer;
	session->local = *datagram->local;
	session->leg_owner.answered = leg_answered;
	session->leg_owner.refused = leg_refused;
	session->names.found = names_found;
	memcpy(session->key, key->bytes, key->length);
	HASH_ADD(hh, relay->sessions, key, key->length, session);
	if (!session->hh.tbl) {
		free(session);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&relay->by_use, session, by_use);
	session_used(session);
	host_work_begin(relay->host);
	return session;
}

/* Sends a datagram on; one that finds nobody is kept for when somebody is there. */
static void session_deliver(struct session *session, const struct adopt_datagram *datagram)
{
	struct relay *relay = session->relay;
	bool goes_along; /* behind what is held, or for want of room to be held itself */

	if (session->names.waiting)
		return;
	if (session->held && now_ms(relay) >= session->held_until_ms)
		release_held(session);
	if (has_leg(session)) {
		session_send(session, datagram->data, datagram->length);
		return;
	}
	goes_along = session->held || !hold(session, datagram);
	if (relay->unit)
		start_unit_needed(relay->unit);
	if (upstreams_ready(relay->upstreams, &session->names) && send_held(session) == 0 &&
	    goes_along)
		session_send(session, datagram->data, datagram->length);
}

static struct session *session_of_key(struct relay *relay, const struct datagram_key *key)
{
	struct session *session;

	HASH_FIND(hh, relay->sessions, key->bytes, key->length, session);
	return session;
}

static struct session *session_find(struct relay *relay, const struct adopt_datagram *datagram)
{
	struct datagram_key key;
	struct session *session;

	datagram_key_make(datagram, &key);
	session = session_of_key(relay, &key);
	if (session) {
		session_used(session);
		return session;
	}
	if (HASH_COUNT(relay->sessions) >= relay->settings->max_sessions)
		session_end(TAILQ_FIRST(&relay->by_use));
	session = session_new(relay, datagram, &key);
	if (session && session == TAILQ_FIRST(&relay->by_use))
		await_expiry(relay);
	return session;
}

static void tell_cut(struct relay *relay)
{
	if (!relay->cut_told)
		log_warning("proxy: datagrams longer than max-packet-size come, and are dropped");
	relay->cut_told = true;
}

static void datagram_received(struct adopt_datagram_protocol *protocol,
			      const struct adopt_datagram *datagram)
{
	struct relay *relay = relay_of(protocol);
	struct session *session;

	if (datagram->truncated) {
		tell_cut(relay);
		return;
	}
	session = session_find(relay, datagram);
	if (session)
		session_deliver(session, datagram);
}

bool proxy_datagram_known(struct adopt_datagram_protocol *protocol,
			  const struct adopt_datagram *datagram)
{
	struct datagram_key key;

	datagram_key_make(datagram, &key);
	return session_of_key(relay_of(protocol), &key) != NULL;
}

void proxy_datagram_drain(struct adopt_datagram_protocol *protocol)
{
	struct relay *relay = relay_of(protocol);
	struct session *session = TAILQ_FIRST(&relay->by_use);

	relay->draining = true;
	relay->drain_until_ms = now_ms(relay) + DRAIN_MS;
	while (session) {
		struct session *next = TAILQ_NEXT(session, by_use);

		if (!session->awaits && !session->held && !session->names.waiting)
			session_end(session);
		session = next;
	}
	await_expiry(relay);
}

static void relay_stopped(struct adopt_datagram_protocol *protocol)
{
	struct relay *relay = relay_of(protocol);

	while (!TAILQ_EMPTY(&relay->by_use))
		session_end(TAILQ_FIRST(&relay->by_use));
	adopt_timer_free(&relay->expiry);
	upstreams_stop(relay->upstreams);
	if (relay->unit)
		start_unit_stop(relay->unit);
}

static const struct adopt_datagram_protocol_ops relay_ops = {
	.datagram_received = datagram_received,
	.stop = relay_stopped,
};

static int relay_init(struct relay *relay, const struct proxy_settings *settings)
{
	int error = proxy_upstreams_new(settings, relay->reactor, SOCK_DGRAM, &relay->upstreams);

	if (error == 0 && settings->start_unit)
		error = start_unit_new(relay->reactor, settings->start_unit, settings->unit_memory,
				       &relay->unit);
	if (error == 0 && settings->send_proxy == PROXY_HEADER_V2) {
		relay->headed = malloc(PROXY_PROTOCOL_WRITE_BYTES + DATAGRAM_BYTES_MAX);
		error = relay->headed ? 0 : -ENOMEM;
	}
	return error;
}

int proxy_datagram_new(const struct handler_settings *base, struct host *host,
		       struct adopt_datagram_protocol **ret)
{
	const struct proxy_settings *settings = (const struct proxy_settings *)base;
	struct relay *relay = calloc(1, sizeof *relay);
	int error;

	if (!relay)
		return -ENOMEM;
	relay->base.ops = &relay_ops;
	relay->settings = settings;
	relay->host = host;
	relay->reactor = host->reactor;
	hash_key_init(&relay->secret);
	TAILQ_INIT(&relay->by_use);
	error = relay_init(relay, settings);
	if (error < 0) {
		proxy_datagram_free(&relay->base);
		return error;
	}
	*ret = &relay->base;
	return 0;
}

void proxy_datagram_free(struct adopt_datagram_protocol *protocol)
{
	struct relay *relay = relay_of(protocol);

	start_unit_free(&relay->unit);
	upstreams_free(&relay->upstreams);
	free(relay->headed);
	free(relay);
}
