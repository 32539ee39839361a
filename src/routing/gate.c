#include "gate.h"

#include "rate.h"
#include "source.h"
#include "support/keyed_hash.h"
#include "support/log.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Clients choose their addresses, so uthash is to hash with a secret of the gate,
 * which each function that looks something up calls `gate`. */
#define HASH_FUNCTION(keyptr, keylen, hashv)                                                       \
	((hashv) = (unsigned)keyed_hash(&gate->secret, (keyptr), (keylen)))
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define TELL_INTERVAL_MS 1000

/* Something that happens often, and is told now and then. */
struct news {
	bool told;
	uint64_t told_ms;
};

/* A source that has connections; without any it is not kept. */
struct gate_source {
	struct source source;
	uint64_t connections;
	UT_hash_handle hh;
};

struct gate {
	const struct gate_settings *settings;
	const char *port_name;
	struct adopt_reactor *reactor;
	struct adopt_port **ports;
	size_t port_count;
	uint64_t connections;
	struct hash_key secret;
	struct gate_source *sources; /* by their addresses */
	struct rates *rates;         /* NULL without rate-per-source */
	struct news pauses;
	struct news refusals;
	uint64_t untold; /* refusals since the last that was told */
};

int gate_new(const struct gate_settings *settings, const char *port_name,
	     struct adopt_reactor *reactor, struct gate **ret)
{
	struct gate *gate = calloc(1, sizeof *gate);
	int error = 0;

	if (!gate)
		return -ENOMEM;
	gate->settings = settings;
	gate->port_name = port_name;
	gate->reactor = reactor;
	if (settings->max_per_source > 0)
		hash_key_init(&gate->secret);
	if (settings->rate_count > 0)
		error = rates_new(settings->rate_count, settings->rate_ms, &gate->rates);
	if (error < 0) {
		free(gate);
		return error;
	}
	*ret = gate;
	return 0;
}

void gate_free(struct gate **gate)
{
	if (!*gate)
		return;
	assert((*gate)->connections == 0);
	rates_free(&(*gate)->rates);
	free((*gate)->ports);
	free(*gate);
	*gate = NULL;
}

/* Returns whether something that happened now is to be told. */
static bool to_tell(struct news *news, uint64_t now_ms)
{
	if (news->told && now_ms - news->told_ms < TELL_INTERVAL_MS)
		return false;
	news->told = true;
	news->told_ms = now_ms;
	return true;
}

static bool is_full(const struct gate *gate)
{
	uint64_t max = gate->settings->max_connections;

	return max > 0 && gate->connections >= max;
}

int gate_add_port(struct gate *gate, struct adopt_port *port)
{
	struct adopt_port **ports =
		realloc(gate->ports, (gate->port_count + 1) * sizeof(struct adopt_port *));

	if (!ports)
		return -ENOMEM;
	gate->ports = ports;
	gate->ports[gate->port_count++] = port;
	if (is_full(gate))
		adopt_port_pause(port);
	return 0;
}

void gate_remove_port(struct gate *gate, const struct adopt_port *port)
{
	for (size_t i = 0; i < gate->port_count; i++)
		if (gate->ports[i] == port) {
			gate->ports[i] = gate->ports[--gate->port_count];
			return;
		}
}

void gate_remove_ports(struct gate *gate)
{
	gate->port_count = 0;
}

static void pause_ports(struct gate *gate)
{
	for (size_t i = 0; i < gate->port_count; i++)
		adopt_port_pause(gate->ports[i]);
	if (to_tell(&gate->pauses, adopt_reactor_now_ms(gate->reactor)))
		log_info("port \"%s\": accepting pauses, max-connections (%" PRIu64 ") is reached",
			 gate->port_name, gate->settings->max_connections);
}

static void resume_ports(struct gate *gate)
{
	for (size_t i = 0; i < gate->port_count; i++)
		adopt_port_resume(gate->ports[i]);
}

void gate_begin(struct gate *gate, struct gate_ticket *ticket)
{
	bool was_full = is_full(gate);

	assert(!ticket->gate);
	ticket->gate = gate;
	gate->connections++;
	if (!was_full && is_full(gate))
		pause_ports(gate);
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

static int source_take(struct gate *gate, const struct source *key, struct gate_source **ret)
{
	struct gate_source *source;

	HASH_FIND(hh, gate->sources, key, sizeof *key, source);
	if (source && source->connections >= gate->settings->max_per_source)
		return -EDQUOT;
	if (!source) {
		source = calloc(1, sizeof *source);
		if (!source)
			return -ENOMEM;
		source->source = *key;
		HASH_ADD(hh, gate->sources, source, sizeof source->source, source);
		if (!source->hh.tbl) {
			free(source);
			return -ENOMEM;
		}
	}
	source->connections++;
	*ret = source;
	return 0;
}

static void source_drop(struct gate_ticket *ticket)
{
	struct gate *gate = ticket->gate;
	struct gate_source *source = ticket->source;

	ticket->source = NULL;
	if (!source || --source->connections > 0)
		return;
	HASH_DEL(gate->sources, source);
	free(source);
}

static int judge(struct gate_ticket *ticket, const struct adopt_address *peer)
{
	struct gate *gate = ticket->gate;
	struct source source;
	int error = 0;

	if (!is_allowed(gate->settings, peer))
		return -EACCES;
	if (!source_of(peer, &source))
		return 0;
	if (gate->settings->max_per_source > 0)
		error = source_take(gate, &source, &ticket->source);
	if (error == 0 && gate->rates)
		error = rates_spend(gate->rates, &source, adopt_reactor_now_ms(gate->reactor));
	if (error < 0)
		source_drop(ticket);
	return error;
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

	if (!to_tell(&gate->refusals, adopt_reactor_now_ms(gate->reactor))) {
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
	bool was_full;

	if (!gate)
		return;
	was_full = is_full(gate);
	source_drop(ticket);
	ticket->gate = NULL;
	gate->connections--;
	if (was_full && !is_full(gate))
		resume_ports(gate);
}

size_t gate_sources(const struct gate *gate)
{
	return HASH_COUNT(gate->sources);
}
