/* The proxy for datagrams: a session a client, each with a connected socket of its own
 * towards one upstream, so that only that one can answer. */
#include "proxy.h"
#include "support/keyed_hash.h"
#include "support/log.h"
#include "upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

/* Clients choose their addresses, so uthash is to hash with a secret of the relay, which
 * each function that looks something up calls `relay`. */
#define HASH_FUNCTION(keyptr, keylen, hashv)                                                       \
	((hashv) = (unsigned)keyed_hash(&relay->secret, (keyptr), (keylen)))
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* An upstream's answers are not ours to cut: the largest that IP can carry. */
#define ANSWER_BYTES 65535

struct session {
	struct adopt_datagram_protocol base;
	struct relay *relay;
	struct upstream *upstream;
	struct adopt_address client;
	uint64_t used_ms;
	TAILQ_ENTRY(session) by_use; /* the longest idle first */
	UT_hash_handle hh;
};

struct relay {
	struct adopt_datagram_protocol base;
	const struct proxy_settings *settings;
	struct adopt_reactor *reactor;
	struct upstreams upstreams;
	struct hash_key secret;
	struct session *sessions; /* by the client's address */
	TAILQ_HEAD(session_queue, session) by_use;
	struct adopt_timer *expiry;
	bool cut_told; /* of a datagram that was cut, once */
};

static struct relay *relay_of(struct adopt_datagram_protocol *protocol)
{
	return (struct relay *)protocol;
}

static void await_expiry(struct relay *relay)
{
	struct session *oldest = TAILQ_FIRST(&relay->by_use);
	uint64_t timeout_ms = relay->settings->session_timeout_ms;
	uint64_t now = adopt_reactor_now_ms(relay->reactor);

	if (!oldest || timeout_ms == 0)
		return;
	adopt_timer_start(relay->expiry, oldest->used_ms + timeout_ms > now
						 ? oldest->used_ms + timeout_ms - now
						 : 0);
}

/* Forgets a session; it is freed when its port has stopped. */
static void session_end(struct session *session)
{
	struct relay *relay = session->relay;
	struct adopt_port *port = session->base.port;

	HASH_DEL(relay->sessions, session);
	TAILQ_REMOVE(&relay->by_use, session, by_use);
	session->relay = NULL;
	adopt_port_stop(&port);
}

static void expire(void *context)
{
	struct relay *relay = context;
	uint64_t now = adopt_reactor_now_ms(relay->reactor);
	struct session *oldest;

	while ((oldest = TAILQ_FIRST(&relay->by_use)) &&
	       oldest->used_ms + relay->settings->session_timeout_ms <= now)
		session_end(oldest);
	await_expiry(relay);
}

static void session_used(struct session *session)
{
	struct relay *relay = session->relay;

	session->used_ms = adopt_reactor_now_ms(relay->reactor);
	TAILQ_REMOVE(&relay->by_use, session, by_use);
	TAILQ_INSERT_TAIL(&relay->by_use, session, by_use);
}

static void answer_received(struct adopt_datagram_protocol *protocol,
			    const struct adopt_datagram *datagram)
{
	struct session *session = (struct session *)protocol;
	int error;

	if (!session->relay || datagram->truncated)
		return;
	session_used(session);
	upstream_note(session->upstream, 0);
	error = adopt_port_send(session->relay->base.port, &session->client, datagram->data,
				datagram->length);
	if (error < 0)
		log_debug("proxy: an answer was lost: %s", strerror(-error));
}

static void session_refused(struct adopt_datagram_protocol *protocol)
{
	struct session *session = (struct session *)protocol;

	if (session->relay)
		upstream_note(session->upstream, -ECONNREFUSED);
}

static void session_stopped(struct adopt_datagram_protocol *protocol)
{
	struct session *session = (struct session *)protocol;

	/* Where the reactor ends, nobody has ended the session before. */
	if (session->relay) {
		HASH_DEL(session->relay->sessions, session);
		TAILQ_REMOVE(&session->relay->by_use, session, by_use);
	}
	free(session);
}

static const struct adopt_datagram_protocol_ops session_ops = {
	.datagram_received = answer_received,
	.connection_refused = session_refused,
	.stop = session_stopped,
};

/* A UNIX upstream can answer only a socket that has a name: Linux picks one. */
static void name_unix_socket(int fd)
{
	struct sockaddr_un unnamed = {.sun_family = AF_UNIX};

	if (bind(fd, (struct sockaddr *)&unnamed, sizeof unnamed.sun_family) < 0)
		log_debug("proxy: no name for answers: %s", strerror(errno));
}

/* Returns a socket connected to the upstream, or a negative errno. */
static int connected_socket(const struct adopt_address *upstream)
{
	int fd, error = adopt_socket_create(adopt_address_family(upstream), SOCK_DGRAM, &fd);

	if (error < 0)
		return error;
	if (adopt_address_family(upstream) == AF_UNIX)
		name_unix_socket(fd);
	if (connect(fd, &upstream->name.any, upstream->length) < 0) {
		error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

/* Gives a session its socket towards the next upstream that can be reached. */
static int session_connect(struct session *session)
{
	struct relay *relay = session->relay;
	struct upstreams *upstreams = &relay->upstreams;
	size_t begin = upstreams_begin(upstreams);
	int error = -EHOSTUNREACH;

	for (size_t i = 0; i < upstreams->count && error < 0; i++) {
		int fd;

		session->upstream = &upstreams->items[(begin + i) % upstreams->count];
		fd = error = connected_socket(&session->upstream->address);
		if (fd >= 0) {
			error = adopt_datagram_port(relay->reactor, fd, AF_UNSPEC, &session->base,
						    ANSWER_BYTES, NULL);
			close(fd);
		}
		if (error < 0)
			upstream_note(session->upstream, error);
	}
	return error;
}

static struct session *session_new(struct relay *relay, const struct adopt_address *client)
{
	struct session *session;

	/* A timer ends before its reactor, so the first session makes it, and the
	   port's stop ends it. */
	if (!relay->expiry && adopt_timer_new(relay->reactor, expire, relay, &relay->expiry) < 0)
		return NULL;
	session = calloc(1, sizeof *session);
	if (!session)
		return NULL;
	session->base.ops = &session_ops;
	session->relay = relay;
	session->client = *client;
	HASH_ADD_KEYPTR(hh, relay->sessions, &session->client.name, client->length, session);
	if (!session->hh.tbl) {
		free(session);
		return NULL;
	}
	if (session_connect(session) < 0) {
		HASH_DEL(relay->sessions, session);
		free(session);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&relay->by_use, session, by_use);
	session_used(session);
	return session;
}

static struct session *session_find(struct relay *relay, const struct adopt_address *client)
{
	struct session *session;

	HASH_FIND(hh, relay->sessions, &client->name, client->length, session);
	if (session) {
		session_used(session);
		return session;
	}
	if (HASH_COUNT(relay->sessions) >= relay->settings->max_sessions)
		session_end(TAILQ_FIRST(&relay->by_use));
	session = session_new(relay, client);
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
	int error;

	if (datagram->truncated) {
		tell_cut(relay);
		return;
	}
	session = session_find(relay, datagram->peer);
	if (!session)
		return;
	error = adopt_port_send(session->base.port, NULL, datagram->data, datagram->length);
	if (error < 0 && error != -EAGAIN)
		upstream_note(session->upstream, error);
}

static void relay_stopped(struct adopt_datagram_protocol *protocol)
{
	struct relay *relay = relay_of(protocol);

	while (!TAILQ_EMPTY(&relay->by_use))
		session_end(TAILQ_FIRST(&relay->by_use));
	adopt_timer_free(&relay->expiry);
}

static const struct adopt_datagram_protocol_ops relay_ops = {
	.datagram_received = datagram_received,
	.stop = relay_stopped,
};

int proxy_datagram_new(const struct handler_settings *base, struct adopt_reactor *reactor,
		       struct adopt_datagram_protocol **ret)
{
	const struct proxy_settings *settings = (const struct proxy_settings *)base;
	struct relay *relay = calloc(1, sizeof *relay);
	int error;

	if (!relay)
		return -ENOMEM;
	error = upstreams_resolve(settings->upstreams, settings->upstream_count, SOCK_DGRAM,
				  &relay->upstreams);
	if (error < 0) {
		free(relay);
		return error;
	}
	relay->base.ops = &relay_ops;
	relay->settings = settings;
	relay->reactor = reactor;
	hash_key_init(&relay->secret);
	TAILQ_INIT(&relay->by_use);
	*ret = &relay->base;
	return 0;
}

void proxy_datagram_free(struct adopt_datagram_protocol *protocol)
{
	struct relay *relay = relay_of(protocol);

	upstreams_free(&relay->upstreams);
	free(relay);
}
