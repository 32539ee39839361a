#include "proxy_session.h"

#include "support/proxy_protocol.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What all sessions together keep of first datagrams that have not been answered. */
#define HELD_BYTES_MAX (1024 * 1024)

/* A refusal that comes so long after a datagram was sent is of a later one. */
#define REFUSAL_MS 1000

#define NOT_SENT UINT64_MAX

static struct session *session_of(struct leg_owner *owner)
{
	return (struct session *)owner;
}

static uint64_t now_ms(const struct session *session)
{
	return adopt_reactor_now_ms(session->common->reactor);
}

/* --- what is held --- */

static void release_held(struct session *session)
{
	session->common->held_bytes -= session->held_length;
	session->held_length = 0;
	free(session->held);
	session->held = NULL;
}

/* Keeps a session's first datagram. Returns false where there is no room. */
static bool hold(struct session *session, const struct adopt_datagram *datagram)
{
	struct session_common *common = session->common;
	uint64_t timeout_ms = common->settings->connect_timeout_ms;

	if (common->held_bytes + datagram->length > HELD_BYTES_MAX)
		return false;
	session->held = malloc(datagram->length + 1);
	if (!session->held)
		return false;
	memcpy(session->held, datagram->data, datagram->length);
	session->held_length = datagram->length;
	common->held_bytes += datagram->length;
	session->held_until_ms = timeout_ms ? now_ms(session) + timeout_ms : UINT64_MAX;
	session->held_sent_ms = NOT_SENT;
	return true;
}

/* Where its time is over, or it has come to where it was sent, for all that we can know. */
static void settle_held(struct session *session)
{
	uint64_t now;

	if (!session->held)
		return;
	now = now_ms(session);
	if (now >= session->held_until_ms ||
	    (session->held_sent_ms != NOT_SENT && now >= session->held_sent_ms + REFUSAL_MS))
		release_held(session);
}

/* --- its leg --- */

bool session_has_leg(const struct session *session)
{
	return session->leg && !leg_dead(session->leg);
}

static uint64_t bytes_of(const struct adopt_datagram *datagrams, size_t count)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += datagrams[i].length;
	return bytes;
}

static void leg_answered(struct leg_owner *owner, const struct adopt_datagram *datagrams,
			 size_t count)
{
	struct session *session = session_of(owner);
	struct session_common *common = session->common;

	release_held(session);
	session->awaits = false;
	session->sent += bytes_of(datagrams, count);
	if (common->unit)
		start_unit_served(common->unit);
	common->answered(session, datagrams, count);
}

static void retry(void *context);

/* Nothing is tried for the sake of a session that has nothing to say. */
static void try_later(struct session *session)
{
	struct session_common *common = session->common;
	uint64_t interval_ms = common->settings->retry_interval_ms;

	if (!session->held || interval_ms == 0)
		return;
	if (!session->retry &&
	    adopt_timer_new(common->reactor, retry, session, &session->retry) < 0)
		return;
	adopt_timer_start(session->retry, interval_ms);
}

static void leg_lost(struct session *session)
{
	settle_held(session);
	session->held_sent_ms = NOT_SENT;
	try_later(session);
}

static void leg_refused(struct leg_owner *owner)
{
	leg_lost(session_of(owner));
}

/* Gives a session its leg to the upstream whose turn it is, of those that can be reached. */
static int take_leg(struct session *session)
{
	struct session_common *common = session->common;
	const struct balance_client client = {
		.address = &session->client,
		.now_ms = now_ms(session),
	};
	int error = -EHOSTUNREACH;

	leg_free(&session->leg);
	session->introduced = false;
	for (size_t left = upstreams_count(common->upstreams); left > 0 && error < 0; left--) {
		struct upstream *upstream = upstreams_choose(common->upstreams, &client);

		upstream_tried(upstream, client.now_ms);
		error = leg_new(common->reactor, upstream, &session->leg_owner, &session->leg);
		if (error < 0 && !upstream_at_fault(error)) {
			common->cramped(session);
			break;
		}
		if (error < 0)
			upstream_failed(upstream, error, client.now_ms);
	}
	return error;
}

/* --- sending --- */

/* Puts the header of PROXY version 2 in front: each leg's upstream hears it once. */
static struct adopt_datagram put_header(const struct session *session,
					const struct adopt_datagram *datagram)
{
	const struct proxy_protocol_header header = {
		.type = SOCK_DGRAM,
		.source = session->client,
		.destination = session->local,
	};
	unsigned char *headed = session->common->headed;
	size_t header_length = proxy_protocol_write_v2(&header, headed);

	memcpy(headed + header_length, datagram->data, datagram->length);
	return (struct adopt_datagram){.data = headed, .length = header_length + datagram->length};
}

/* Returns how many have been sent, or are lost: at least one. */
static size_t send_on(struct session *session, const struct adopt_datagram *datagrams, size_t count)
{
	struct adopt_datagram headed;
	int sent;

	if (session->common->headed && !session->introduced) {
		headed = put_header(session, datagrams);
		datagrams = &headed;
		count = 1;
	}
	session->awaits = true;
	sent = leg_send(session->leg, datagrams, count);
	if (sent > 0)
		session->introduced = true;
	else if (leg_dead(session->leg))
		leg_lost(session);
	return sent > 0 ? (size_t)sent : 1;
}

/* What waits for a leg goes first. */
static int send_held(struct session *session)
{
	struct adopt_datagram held = {0};
	int error = take_leg(session);

	if (error < 0) {
		try_later(session);
	} else if (session->held) {
		held.data = session->held;
		held.length = session->held_length;
		session->held_sent_ms = now_ms(session);
		(void)send_on(session, &held, 1);
	}
	return error;
}

static void retry(void *context)
{
	struct session *session = context;
	struct session_common *common = session->common;

	settle_held(session);
	if (!session->held || session_has_leg(session))
		return;
	if (common->unit)
		start_unit_missed(common->unit);
	if (upstreams_ready(common->upstreams, &session->names))
		(void)send_held(session);
}

static void names_found(struct upstreams_waiter *waiter)
{
	(void)send_held((struct session *)((char *)waiter - offsetof(struct session, names)));
}

static void deliver_without_leg(struct session *session, const struct adopt_datagram *datagram)
{
	struct session_common *common = session->common;
	bool goes_along; /* behind what is held, or for want of room to be held itself */

	goes_along = session->held || !hold(session, datagram);
	if (common->unit)
		start_unit_needed(common->unit);
	if (upstreams_ready(common->upstreams, &session->names) && send_held(session) == 0 &&
	    goes_along)
		(void)send_on(session, datagram, 1);
}

void session_deliver(struct session *session, const struct adopt_datagram *datagrams, size_t count)
{
	size_t done;

	session->received += bytes_of(datagrams, count);
	for (; count > 0 && !session->names.waiting; datagrams += done, count -= done) {
		done = 1;
		settle_held(session);
		if (session_has_leg(session))
			done = send_on(session, datagrams, count);
		else
			deliver_without_leg(session, datagrams);
	}
}

const char *session_upstream(const struct session *session)
{
	return session->leg ? leg_upstream(session->leg)->health->text : NULL;
}

bool session_busy(const struct session *session)
{
	return session->awaits || session->held || session->names.waiting;
}

void session_init(struct session *session, struct session_common *common,
		  const struct adopt_datagram *first)
{
	*session = (struct session){
		.leg_owner = {.answered = leg_answered, .refused = leg_refused},
		.common = common,
		.client = *first->peer,
		.local = *first->local,
		.names = {.found = names_found},
	};
}

void session_done(struct session *session)
{
	upstreams_leave(&session->names);
	adopt_timer_free(&session->retry);
	release_held(session);
	leg_free(&session->leg);
}
