#include "setup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int local_of(int fd, struct adopt_address *ret)
{
	struct adopt_address address = {.length = sizeof address.name};

	if (getsockname(fd, &address.name.any, &address.length) < 0)
		return -errno;
	*ret = address;
	return 0;
}

static bool is_sibling(const struct plan_entry *a, const struct plan_entry *b)
{
	struct adopt_address one, other;

	return a->port == b->port && a->role == b->role && a->kind.type == b->kind.type &&
	       local_of(a->fd, &one) == 0 && local_of(b->fd, &other) == 0 &&
	       adopt_address_equal(&one, &other);
}

/* Datagram ports take turns whatever their address: each belongs to one worker. */
static void find_shares(struct setup *setup)
{
	const struct plan *plan = setup->plan;
	unsigned datagrams = 0;

	for (size_t i = 0; i < plan->count; i++) {
		struct setup_share *share = &setup->shares[i];

		if (plan->entries[i].role != PLAN_STREAM_PORT) {
			share->sibling = datagrams++;
			continue;
		}
		for (size_t j = 0; j < plan->count; j++)
			if (i == j || is_sibling(&plan->entries[i], &plan->entries[j])) {
				share->sibling += j < i;
				share->siblings++;
			}
	}
}

/* --- what a reload leaves as it is --- */

/* Writes what the configuration says of a port block. Returns NULL where memory is short. */
static char *describe(const struct config *config, size_t port)
{
	char *text = NULL;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	if (!stream)
		return NULL;
	config_dump_port(config, port, stream);
	if (fclose(stream) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static bool reads_files(const struct config_port *port)
{
	bool reads = port->handler->reads_files;

	for (size_t i = 0; i < port->route_count; i++)
		reads = reads || port->routes[i].handler->reads_files;
	return reads;
}

/* Tells whether two blocks serve the same descriptors. What was a connection is served. */
static bool same_descriptors(const struct setup *a, size_t a_port, const struct setup *b,
			     size_t b_port)
{
	const struct plan_entry *mine = a->plan->entries, *a_end = mine + a->plan->count;
	const struct plan_entry *theirs = b->plan->entries, *b_end = theirs + b->plan->count;

	for (;;) {
		while (mine < a_end && (mine->port != &a->config->ports[a_port] ||
					mine->role == PLAN_STREAM_CONNECTION))
			mine++;
		while (theirs < b_end && (theirs->port != &b->config->ports[b_port] ||
					  theirs->role == PLAN_STREAM_CONNECTION))
			theirs++;
		if (mine == a_end || theirs == b_end)
			return mine == a_end && theirs == b_end;
		if (mine->fd != theirs->fd || mine->role != theirs->role)
			return false;
		mine++;
		theirs++;
	}
}

static bool is_same(const struct setup *a, size_t a_port, const struct setup *b, size_t b_port)
{
	const struct config_port *mine = &a->config->ports[a_port];
	const struct config_port *theirs = &b->config->ports[b_port];
	char *one, *other;
	bool same;

	if (strcmp(mine->name, theirs->name) != 0 || reads_files(mine) ||
	    mine->router.access_log != theirs->router.access_log ||
	    !same_descriptors(a, a_port, b, b_port))
		return false;
	one = describe(a->config, a_port);
	other = describe(b->config, b_port);
	same = one && other && strcmp(one, other) == 0;
	free(one);
	free(other);
	return same;
}

static void compare(struct setup *setup, const struct setup *before)
{
	for (size_t i = 0; i < setup->config->port_count; i++) {
		setup->same[i] = SETUP_NEW;
		for (size_t j = 0; before && j < before->config->port_count; j++)
			if (is_same(setup, i, before, j))
				setup->same[i] = j;
	}
}

/* --- */

static int find_ledgers(struct setup *setup, struct ledgers *ledgers)
{
	int error = 0;

	for (size_t i = 0; error == 0 && i < setup->config->port_count; i++)
		error = ledgers_find(ledgers, setup->config->ports[i].name, &setup->ledgers[i]);
	return error;
}

int setup_new(const struct setup_order *order, struct faults *faults, struct setup **ret)
{
	struct config *config = order->config;
	struct setup *setup = calloc(1, sizeof *setup);
	int error;

	if (!setup)
		return -ENOMEM;
	atomic_init(&setup->references, 1);
	error = plan_make(config, order->inherited, order->opened, faults, &setup->plan);
	if (error < 0)
		goto out;
	setup->shares = calloc(setup->plan->count + 1, sizeof *setup->shares);
	setup->ledgers = calloc(config->port_count + 1, sizeof *setup->ledgers);
	setup->same = calloc(config->port_count + 1, sizeof *setup->same);
	if (!setup->shares || !setup->ledgers || !setup->same) {
		error = -ENOMEM;
		goto out;
	}
	setup->config = config;
	error = find_ledgers(setup, order->ledgers);
	if (error < 0)
		goto out;
	find_shares(setup);
	compare(setup, order->before);
	*ret = setup;
	return 0;
out:
	setup->config = NULL;
	setup_unref(&setup);
	return error;
}

struct setup *setup_ref(struct setup *setup)
{
	atomic_fetch_add(&setup->references, 1);
	return setup;
}

void setup_unref(struct setup **gone)
{
	struct setup *setup = *gone;

	*gone = NULL;
	if (!setup || atomic_fetch_sub(&setup->references, 1) > 1)
		return;
	plan_free(&setup->plan);
	config_free(&setup->config);
	free(setup->shares);
	free(setup->ledgers);
	free(setup->same);
	free(setup);
}

bool setup_is_for(const struct setup *setup, size_t entry, unsigned worker, unsigned workers)
{
	const struct setup_share *share = &setup->shares[entry];

	if (share->siblings == 0 || share->siblings >= workers)
		return share->sibling % workers == worker;
	return worker % share->siblings == share->sibling;
}

bool setup_is_shared(const struct setup *setup, size_t entry, unsigned workers)
{
	unsigned siblings = setup->shares[entry].siblings;

	return siblings > 0 && siblings < workers;
}
