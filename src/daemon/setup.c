#include "setup.h"

#include "control_socket.h"

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

/* Returns the block's first port in the plan from an index on, or the plan's end. What was a
 * connection is served. */
static size_t find_port(const struct setup *setup, size_t port, size_t from)
{
	const struct plan *plan = setup->plan;

	while (from < plan->count && (plan->entries[from].port != &setup->config->ports[port] ||
				      plan->entries[from].role == PLAN_STREAM_CONNECTION))
		from++;
	return from;
}

/* Tells whether two blocks serve the same descriptors. */
static bool same_descriptors(const struct setup *a, size_t a_port, const struct setup *b,
			     size_t b_port)
{
	size_t i = find_port(a, a_port, 0), j = find_port(b, b_port, 0);

	while (i < a->plan->count && j < b->plan->count) {
		const struct plan_entry *mine = &a->plan->entries[i];
		const struct plan_entry *theirs = &b->plan->entries[j];

		if (mine->fd != theirs->fd || mine->role != theirs->role)
			return false;
		i = find_port(a, a_port, i + 1);
		j = find_port(b, b_port, j + 1);
	}
	return i == a->plan->count && j == b->plan->count;
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

/* --- what goes on counting --- */

static void succeed(struct handler_settings *settings, const struct handler_settings *before)
{
	const struct handler *handler = settings->handler;

	if (handler->succeed)
		handler->succeed(settings, before && before->handler == handler ? before : NULL);
}

void setup_succeed(struct setup *setup, const struct setup *before)
{
	for (size_t i = 0; i < setup->config->port_count; i++) {
		const struct config_port *port = &setup->config->ports[i];
		const struct config_port *old =
			before ? config_find_port(before->config, port->name) : NULL;

		succeed(port->settings, old ? old->settings : NULL);
		for (size_t j = 0; j < port->route_count; j++)
			succeed(port->routes[j].settings,
				old && j < old->route_count ? old->routes[j].settings : NULL);
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
	error = control_socket_open(config, order->control, faults, &setup->control);
	if (error < 0)
		goto out;
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
	listen_close(&setup->control);
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
