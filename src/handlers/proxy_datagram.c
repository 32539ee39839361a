/* The proxy for datagrams: a session a client, each with a connected socket of its own
 * towards one upstream, so that only that one can answer. */
#include "proxy_session.h"
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

/* How long sessions that await an answer outlive a drain. */
#define DRAIN_MS 5000

struct entry {
	struct session session;
	struct roll_entry roll;
	struct relay *relay;
	uint64_t used_ms;
	TAILQ_ENTRY(entry) by_use; /* the longest idle first */
	UT_hash_handle hh;
	unsigned char key[];
};

struct relay {
	struct adopt_datagram_protocol base;
	struct session_common common;
	struct host *host;
	struct hash_key secret;
	struct entry *entries; /* by key */
	TAILQ_HEAD(entry_queue, entry) by_use;
	struct adopt_timer *expiry;
	bool cut_told;     /* of a datagram that was cut, once */
	bool cramped_told; /* likewise, that sessions find no descriptor */
	bool draining;
	uint64_t drain_until_ms;
};

static struct relay *relay_of(struct adopt_datagram_protocol *protocol)
{
	return (struct relay *)protocol;
}

static struct entry *entry_of(struct session *session)
{
	return (struct entry *)session;
}

static uint64_t now_ms(const struct relay *relay)
{
	return adopt_reactor_now_ms(relay->common.reactor);
}

/* --- a session's time --- */

static void entry_used(struct entry *entry)
{
	struct relay *relay = entry->relay;

	entry->used_ms = now_ms(relay);
	TAILQ_REMOVE(&relay->by_use, entry, by_use);
	TAILQ_INSERT_TAIL(&relay->by_use, entry, by_use);
}

static void entry_end(struct entry *entry)
{
	struct relay *relay = entry->relay;

	HASH_DEL(relay->entries, entry);
	TAILQ_REMOVE(&relay->by_use, entry, by_use);
	session_done(&entry->session);
	host_leave(relay->host, &entry->roll);
	host_work_end(relay->host);
	free(entry);
}

static void await_expiry(struct relay *relay)
{
	struct entry *oldest = TAILQ_FIRST(&relay->by_use);
	uint64_t timeout_ms = relay->common.settings->session_timeout_ms;
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

static bool is_over(const struct entry *entry, uint64_t now)
{
	const struct relay *relay = entry->relay;
	uint64_t timeout_ms = relay->common.settings->session_timeout_ms;

	return (relay->draining && relay->drain_until_ms <= now) ||
	       (timeout_ms > 0 && entry->used_ms + timeout_ms <= now);
}

static void expire(void *context)
{
	struct relay *relay = context;
	uint64_t now = now_ms(relay);
	struct entry *oldest;

	while ((oldest = TAILQ_FIRST(&relay->by_use)) && is_over(oldest, now))
		entry_end(oldest);
	await_expiry(relay);
}

/* --- what a session asks for --- */

static void answered(struct session *session, const struct adopt_datagram *datagrams, size_t count)
{
	struct entry *entry = entry_of(session);
	struct relay *relay = entry->relay;

	entry_used(entry);
	while (count > 0) {
		int sent = adopt_port_send_several(relay->base.port, &session->local,
						   &session->client, datagrams, count);

		if (sent < 0) {
			log_debug("proxy: an answer was lost: %s", strerror(-sent));
			sent = 1;
		}
		datagrams += sent;
		count -= (size_t)sent;
	}
	if (relay->draining)
		entry_end(entry);
}

/* The longest idle session gives up its descriptor, as it would where there are too many. */
static void cramped(const struct session *session)
{
	struct relay *relay = ((const struct entry *)session)->relay;
	struct entry *idle;

	if (!relay->cramped_told)
		log_warning("proxy: no descriptor is left for a session: the longest idle ends");
	relay->cramped_told = true;
	TAILQ_FOREACH (idle, &relay->by_use, by_use)
		if (&idle->session != session && session_has_leg(&idle->session)) {
			entry_end(idle);
			return;
		}
}

/* --- for who lists sessions --- */

static struct entry *from_roll(struct roll_entry *roll)
{
	return (struct entry *)((char *)roll - offsetof(struct entry, roll));
}

static void look(struct roll_entry *roll, struct roll_sight *ret)
{
	const struct session *session = &from_roll(roll)->session;
	const struct handler_settings *settings = &session->common->settings->base;

	*ret = (struct roll_sight){
		.kind = "datagram",
		.port = settings->port_name,
		.route = settings->route,
		.handler = settings->handler->name,
		.note = session_upstream(session),
		.peer = session->client,
		.received = session->received,
		.sent = session->sent,
	};
}

static void abort_entry(struct roll_entry *roll)
{
	entry_end(from_roll(roll));
}

static const struct roll_ops roll_ops = {.look = look, .abort = abort_entry};

/* --- datagrams --- */

static struct entry *entry_new(struct relay *relay, const struct adopt_datagram *datagram,
			       const struct datagram_key *key)
{
	struct entry *entry;

	/* A timer ends before its reactor, so the first session makes it, and the
	   port's stop ends it. */
	if (!relay->expiry &&
	    adopt_timer_new(relay->common.reactor, expire, relay, &relay->expiry) < 0)
		return NULL;
	entry = calloc(1, sizeof *entry + key->length);
	if (!entry)
		return NULL;
	entry->relay = relay;
	memcpy(entry->key, key->bytes, key->length);
	HASH_ADD(hh, relay->entries, key, key->length, entry);
	if (!entry->hh.tbl) {
		free(entry);
		return NULL;
	}
	session_init(&entry->session, &relay->common, datagram);
	TAILQ_INSERT_TAIL(&relay->by_use, entry, by_use);
	entry_used(entry);
	host_work_begin(relay->host);
	entry->roll.ops = &roll_ops;
	host_enter(relay->host, &entry->roll);
	return entry;
}

static struct entry *entry_of_key(struct relay *relay, const struct datagram_key *key)
{
	struct entry *entry;

	HASH_FIND(hh, relay->entries, key->bytes, key->length, entry);
	return entry;
}

static struct entry *entry_find(struct relay *relay, const struct adopt_datagram *datagram)
{
	struct datagram_key key;
	struct entry *entry;

	datagram_key_make(datagram, &key);
	entry = entry_of_key(relay, &key);
	if (entry) {
		entry_used(entry);
		return entry;
	}
	if (HASH_COUNT(relay->entries) >= relay->common.settings->max_sessions)
		entry_end(TAILQ_FIRST(&relay->by_use));
	entry = entry_new(relay, datagram, &key);
	if (entry && entry == TAILQ_FIRST(&relay->by_use))
		await_expiry(relay);
	return entry;
}

static void tell_cut(struct relay *relay)
{
	if (!relay->cut_told)
		log_warning("proxy: datagrams longer than max-packet-size come, and are dropped");
	relay->cut_told = true;
}

static void deliver(struct relay *relay, const struct adopt_datagram *datagrams, size_t count)
{
	struct entry *entry = entry_find(relay, datagrams);

	if (entry)
		session_deliver(&entry->session, datagrams, count);
}

/* Neighbours of one client go together. */
static void datagrams_received(struct adopt_datagram_protocol *protocol,
			       const struct adopt_datagram *datagrams, size_t count)
{
	struct relay *relay = relay_of(protocol);
	size_t run;

	for (; count > 0; datagrams += run, count -= run) {
		run = datagram_key_run(datagrams, count);
		if (datagrams->truncated)
			tell_cut(relay);
		else
			deliver(relay, datagrams, run);
	}
}

bool proxy_datagram_known(struct adopt_datagram_protocol *protocol,
			  const struct adopt_datagram *datagram)
{
	struct datagram_key key;

	datagram_key_make(datagram, &key);
	return entry_of_key(relay_of(protocol), &key) != NULL;
}

/* --- the port --- */

void proxy_datagram_drain(struct adopt_datagram_protocol *protocol)
{
	struct relay *relay = relay_of(protocol);
	struct entry *entry = TAILQ_FIRST(&relay->by_use);

	relay->draining = true;
	relay->drain_until_ms = now_ms(relay) + DRAIN_MS;
	while (entry) {
		struct entry *next = TAILQ_NEXT(entry, by_use);

		if (!session_busy(&entry->session))
			entry_end(entry);
		entry = next;
	}
	await_expiry(relay);
}

static void relay_stopped(struct adopt_datagram_protocol *protocol)
{
	struct relay *relay = relay_of(protocol);

	while (!TAILQ_EMPTY(&relay->by_use))
		entry_end(TAILQ_FIRST(&relay->by_use));
	adopt_timer_free(&relay->expiry);
	upstreams_stop(relay->common.upstreams);
	if (relay->common.unit)
		start_unit_stop(relay->common.unit);
}

static const struct adopt_datagram_protocol_ops relay_ops = {
	.datagrams_received = datagrams_received,
	.stop = relay_stopped,
};

static int common_init(struct session_common *common, const struct proxy_settings *settings,
		       struct adopt_reactor *reactor)
{
	int error;

	*common = (struct session_common){
		.settings = settings,
		.reactor = reactor,
		.answered = answered,
		.cramped = cramped,
	};
	error = proxy_upstreams_new(settings, reactor, SOCK_DGRAM, &common->upstreams);
	if (error == 0 && settings->start_unit)
		error = start_unit_new(reactor, settings->start_unit, settings->unit_memory,
				       &common->unit);
	if (error == 0 && settings->send_proxy == PROXY_HEADER_V2) {
		common->headed = malloc(PROXY_PROTOCOL_WRITE_BYTES + SESSION_DATAGRAM_MAX);
		error = common->headed ? 0 : -ENOMEM;
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
	relay->host = host;
	hash_key_init(&relay->secret);
	TAILQ_INIT(&relay->by_use);
	error = common_init(&relay->common, settings, host->reactor);
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

	start_unit_free(&relay->common.unit);
	upstreams_free(&relay->common.upstreams);
	free(relay->common.headed);
	free(relay);
}
