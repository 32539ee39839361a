#include "gate.h"

#include "source.h"
#include "support/log.h"
#include "support/news.h"
#include "support/quota.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct gate {
	const struct gate_settings *settings;
	const char *port_name;
	struct host *host;
	struct ledger *ledger;
	struct quota connections;
	struct news pauses;
	struct news refusals;
	uint64_t untold; /* refusals since the last that was told */
};

static void full(struct quota *quota, bool full)
{
	struct gate *gate = (struct gate *)((char *)quota - offsetof(struct gate, connections));

	if (!full) {
		host_release(gate->host);
		return;
	}
	host_hold(gate->host);
	if (news_due(&gate->pauses, adopt_reactor_now_ms(gate->host->reactor)))
		log_info("port \"%s\": accepting pauses, max-connections (%" PRIu64 ") is reached",
			 gate->port_name, gate->settings->max_connections);
}

int gate_new(const struct gate_settings *settings, const char *port_name, struct host *host,
	     struct ledger *ledger, struct gate **ret)
{
	struct gate *gate = calloc(1, sizeof *gate);

	if (!gate)
		return -ENOMEM;
	gate->settings = settings;
	gate->port_name = port_name;
	gate->host = host;
	gate->ledger = ledger;
	quota_init(&gate->connections, ledger_slots(ledger), host->reactor, full);
	host->block_quota = &gate->connections;
	*ret = gate;
	return 0;
}

void gate_free(struct gate **gate)
{
	free(*gate);
	*gate = NULL;
}

void gate_open(struct gate *gate)
{
	quota_open(&gate->connections);
}

void gate_close(struct gate *gate)
{
	quota_close(&gate->connections);
}

void gate_begin(struct gate *gate, struct gate_ticket *ticket)
{
	gate_begin_uncounted(gate, ticket);
	ticket->counted = true;
	host_client_begin(gate->host);
}

void gate_begin_uncounted(struct gate *gate, struct gate_ticket *ticket)
{
	assert(!ticket->gate);
	ticket->gate = gate;
}

static bool any_contains(const struct network *networks, size_t count,
			 const struct adopt_address *peer)
{
	for (size_t i = 0; i < count; i++)
		if (network_contains(&networks[i], peer))
			return true;
	return false;
}

static bool is_allowed(const struct gate_settings *settings, const struct adopt_address *peer)
{
	if (any_contains(settings->deny, settings->deny_count, peer))
		return false;
	return settings->allow_count == 0 ||
	       any_contains(settings->allow, settings->allow_count, peer);
}

static int judge(struct gate_ticket *ticket, const struct adopt_address *peer)
{
	struct gate *gate = ticket->gate;
	const struct gate_settings *settings = gate->settings;
	struct source source;

	if (!is_allowed(settings, peer))
		return -EACCES;
	if ((settings->max_per_source == 0 && settings->rate_count == 0) ||
	    !source_of(peer, &source))
		return 0;
	return ledger_enter(gate->ledger, &source, adopt_reactor_now_ms(gate->host->reactor),
			    &ticket->source);
}

static const char *reason(int error)
{
	switch (error) {
	case -EACCES:
		return "not allowed";
	case -EDQUOT:
		return "max-connections-per-source";
	case -EBUSY:
		return "rate-per-source";
	default:
		return "out of memory";
	}
}

static void tell_refusal(struct gate *gate, const struct adopt_address *peer, int error)
{
	char address[ADOPT_ADDRESS_TEXT_SIZE], more[64] = "";

	if (!news_due(&gate->refusals, adopt_reactor_now_ms(gate->host->reactor))) {
		gate->untold++;
		return;
	}
	if (gate->untold > 0)
		snprintf(more, sizeof more, "; %" PRIu64 " more since", gate->untold);
	gate->untold = 0;
	log_info("port \"%s\": refused %s (%s)%s", gate->port_name,
		 adopt_address_format(peer, address, sizeof address), reason(error), more);
}

int gate_admit(struct gate_ticket *ticket, const struct adopt_address *peer)
{
	int error;

	assert(ticket->gate && !ticket->source);
	error = judge(ticket, peer);
	if (error < 0)
		tell_refusal(ticket->gate, peer, error);
	return error;
}

void gate_end(struct gate_ticket *ticket)
{
	struct gate *gate = ticket->gate;
	bool counted = ticket->counted;

	if (!gate)
		return;
	ledger_leave(gate->ledger, ticket->source);
	*ticket = (struct gate_ticket){0};
	if (counted)
		host_client_end(gate->host);
}
