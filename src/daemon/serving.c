#include "serving.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static size_t stand_count(const struct setup *setup)
{
	return setup ? setup->config->port_count : 0;
}

/* --- what stands and the quota tell --- */

static void stand_busy(struct stand *stand, bool busy)
{
	struct serving *serving = stand->context;

	if (busy) {
		if (serving->busy_stands++ == 0)
			serving->owner->busy(serving, true);
	} else {
		if (--serving->busy_stands == 0)
			serving->owner->busy(serving, false);
	}
}

static void check_end(struct serving *serving)
{
	if (serving->ending && LIST_EMPTY(&serving->retired))
		serving->owner->ended(serving);
}

static const char *name_of(const struct stand *stand)
{
	return stand->block.port->name;
}

/* Returns the present stand of a port block's name, NULL where there is none any more. */
static struct stand *find_stand(const struct serving *serving, const char *name)
{
	for (size_t i = 0; i < stand_count(serving->setup); i++)
		if (strcmp(name_of(serving->stands[i]), name) == 0)
			return serving->stands[i];
	return NULL;
}

static void stand_gone(struct stand *stand)
{
	struct serving *serving = stand->context;
	struct stand *heir = find_stand(serving, name_of(stand));

	*(heir ? &heir->block.host.clients : &serving->clients_gone) += stand->block.host.clients;
	LIST_REMOVE(stand, link);
	check_end(serving);
}

static const struct stand_owner_ops stand_ops = {.busy = stand_busy, .gone = stand_gone};

static void retire(struct serving *serving, struct stand *stand)
{
	LIST_INSERT_HEAD(&serving->retired, stand, link);
	stand_retire(stand);
}

static void hold_all(struct serving *serving)
{
	for (size_t i = 0; i < stand_count(serving->setup); i++)
		stand_hold(serving->stands[i]);
}

static void release_all(struct serving *serving)
{
	for (size_t i = 0; i < stand_count(serving->setup); i++)
		stand_release(serving->stands[i]);
}

static void full(struct quota *quota, bool full)
{
	struct serving *serving =
		(struct serving *)((char *)quota - offsetof(struct serving, quota));

	serving->full = full;
	if (!full) {
		release_all(serving);
		return;
	}
	hold_all(serving);
	if (news_due(&serving->pauses, adopt_reactor_now_ms(serving->reactor)))
		log_notice("accepting pauses: there are as many connections as max-connections "
			   "allows");
}

/* --- what the reactor tells --- */

static const char *port_name(const struct serving *serving, const struct adopt_port *port)
{
	for (size_t i = 0; i < stand_count(serving->setup); i++)
		if (stand_has(serving->stands[i], port))
			return name_of(serving->stands[i]);
	return "?";
}

static void accept_trouble(struct adopt_observer *observer, struct adopt_port *port, int error)
{
	const char *name = port_name((struct serving *)observer, port);

	if (error == -EMFILE)
		log_warning("port \"%s\": no descriptor is left: new clients are turned away",
			    name);
	else if (error)
		log_warning("port \"%s\": cannot accept: %s", name, adopt_error_text(error));
	else
		log_notice("port \"%s\": accepts again", name);
}

static void publish_load(struct serving *serving)
{
	struct spread *spread = &serving->spread;

	if (spread->loads)
		atomic_store_explicit(&spread->loads[spread->self].connections,
				      adopt_reactor_connection_count(serving->reactor),
				      memory_order_relaxed);
}

static void connection_begins(struct adopt_observer *observer, struct adopt_transport *transport)
{
	(void)transport;
	publish_load((struct serving *)observer);
}

static void connection_ended(struct adopt_observer *observer, int error)
{
	(void)error;
	publish_load((struct serving *)observer);
}

static const struct adopt_observer_ops observer_ops = {
	.accept_trouble = accept_trouble,
	.connection_begins = connection_begins,
	.connection_ended = connection_ended,
};

/* Returns which of some stands is for the same port block of the same setup, or NULL. */
static struct stand *twin_of(const struct stand *theirs, struct stand *const *stands, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (stands[i] && stands[i]->setup == theirs->setup &&
		    stands[i]->index == theirs->index)
			return stands[i];
	return NULL;
}

/* `block` is the other worker's stand, who keeps it while this looks. It may have
 * committed already what this worker is about to. */
static struct adopt_factory *find(void *context, const void *block)
{
	const struct serving *serving = context;
	struct stand *stand = twin_of(block, serving->stands, stand_count(serving->setup));
	struct adopt_factory *factory;

	if (!stand)
		stand = twin_of(block, serving->next_stands, stand_count(serving->next));
	return stand && block_factory(&stand->block, &factory) == 0 ? factory : NULL;
}

/* --- */

void serving_init(struct serving *serving, struct adopt_reactor *reactor, unsigned worker,
		  unsigned workers, struct spread_load *loads, struct slots *slots,
		  const struct serving_owner_ops *owner, void *context)
{
	*serving = (struct serving){
		.observer.ops = &observer_ops,
		.owner = owner,
		.context = context,
		.reactor = reactor,
		.worker = worker,
		.workers = workers,
		.spread = {.loads = loads, .count = workers, .self = worker},
	};
	LIST_INIT(&serving->retired);
	roll_init(&serving->roll, worker, workers);
	quota_init(&serving->quota, slots, reactor, full);
	if (loads) {
		loads[worker].reactor = reactor;
		loads[worker].find = find;
		loads[worker].context = serving;
	}
	adopt_reactor_observe(reactor, &serving->observer);
}

static int prepare_stand(struct serving *serving, size_t index)
{
	struct setup *setup = serving->next;
	const struct stand_order order = {
		.setup = setup,
		.index = index,
		.reactor = serving->reactor,
		.quota = &serving->quota,
		.roll = &serving->roll,
		.spread = serving->spread.loads ? &serving->spread : NULL,
		.worker = serving->worker,
		.workers = serving->workers,
		.owner = &stand_ops,
		.context = serving,
	};
	int error;

	if (serving->setup && setup->same[index] != SETUP_NEW) {
		serving->next_stands[index] = serving->stands[setup->same[index]];
		return 0;
	}
	error = stand_new(&order, &serving->next_stands[index]);
	if (error == 0)
		error = stand_adopt_ports(serving->next_stands[index], &order);
	if (error == 0 && !serving->setup)
		error = stand_adopt_connections(serving->next_stands[index], &order);
	return error;
}

int serving_prepare(struct serving *serving, struct setup *setup)
{
	int error = 0;

	serving->next_stands = calloc(stand_count(setup) + 1, sizeof(struct stand *));
	if (!serving->next_stands)
		return -ENOMEM;
	serving->next = setup_ref(setup);
	for (size_t i = 0; error == 0 && i < stand_count(setup); i++)
		error = prepare_stand(serving, i);
	if (error < 0)
		serving_discard(serving);
	return error;
}

static bool is_kept(struct stand *const *stands, size_t count, const struct stand *stand)
{
	for (size_t i = 0; i < count; i++)
		if (stands[i] == stand)
			return true;
	return false;
}

/* Retires those of the first array that are not in the second. */
static void retire_others(struct serving *serving, struct stand **stands, size_t count,
			  struct stand *const *kept, size_t kept_count)
{
	for (size_t i = 0; i < count; i++)
		if (stands[i] && !is_kept(kept, kept_count, stands[i]))
			retire(serving, stands[i]);
}

static void take_next(struct serving *serving)
{
	setup_unref(&serving->setup);
	free(serving->stands);
	serving->setup = serving->next;
	serving->stands = serving->next_stands;
	serving->next = NULL;
	serving->next_stands = NULL;
}

static void heed_drained(struct serving *serving, struct stand *stand)
{
	bool drained = serving->drained && drained_has(serving->drained, name_of(stand));

	if (stand->drained == drained)
		return;
	stand->drained = drained;
	if (drained)
		stand_hold(stand);
	else
		stand_release(stand);
}

void serving_heed_drained(struct serving *serving)
{
	for (size_t i = 0; i < stand_count(serving->setup); i++)
		heed_drained(serving, serving->stands[i]);
}

void serving_commit(struct serving *serving)
{
	size_t old_count = stand_count(serving->setup), count = stand_count(serving->next);

	for (size_t i = 0; i < count; i++) {
		struct stand *stand = serving->next_stands[i];

		if (is_kept(serving->stands, old_count, stand))
			continue;
		for (unsigned j = 0; j < serving->holds + serving->full; j++)
			stand_hold(stand);
		heed_drained(serving, stand);
		stand_release(stand);
		stand_log(stand, serving->worker, serving->workers);
	}
	retire_others(serving, serving->stands, old_count, serving->next_stands, count);
	take_next(serving);
	quota_open(&serving->quota);
}

void serving_discard(struct serving *serving)
{
	if (!serving->next)
		return;
	retire_others(serving, serving->next_stands, stand_count(serving->next), serving->stands,
		      stand_count(serving->setup));
	setup_unref(&serving->next);
	free(serving->next_stands);
	serving->next_stands = NULL;
}

void serving_retire(struct serving *serving)
{
	if (serving->ending)
		return;
	quota_close(&serving->quota);
	retire_others(serving, serving->stands, stand_count(serving->setup), NULL, 0);
	setup_unref(&serving->setup);
	free(serving->stands);
	serving->stands = NULL;
	serving->ending = true;
	check_end(serving);
}

void serving_hold(struct serving *serving)
{
	serving->holds++;
	hold_all(serving);
}

void serving_release(struct serving *serving)
{
	serving->holds--;
	release_all(serving);
}

static void count_stand(const struct stand *stand, struct serving_counts *counts)
{
	counts->ports += stand->port_count;
	counts->work += stand->block.host.work;
	counts->clients += stand->block.host.clients;
}

void serving_count(const struct serving *serving, struct serving_counts *ret)
{
	const struct stand *stand;

	*ret = (struct serving_counts){
		.connections = serving->roll.count,
		.rate = pace_per_second(&serving->roll.pace,
					adopt_reactor_now_ms(serving->reactor)),
		.clients = serving->clients_gone,
	};
	for (size_t i = 0; i < stand_count(serving->setup); i++)
		count_stand(serving->stands[i], ret);
	LIST_FOREACH (stand, &serving->retired, link) {
		ret->work += stand->block.host.work;
		ret->clients += stand->block.host.clients;
	}
}

static void count_port(const struct stand *stand, struct serving_port_counts *counts)
{
	counts->connections += stand->block.host.present;
	counts->clients += stand->block.host.clients;
}

void serving_count_port(const struct serving *serving, size_t index,
			struct serving_port_counts *ret)
{
	const struct stand *present = serving->stands[index], *stand;

	*ret = (struct serving_port_counts){.held = present->block.host.holds > 0};
	count_port(present, ret);
	LIST_FOREACH (stand, &serving->retired, link)
		if (strcmp(name_of(stand), name_of(present)) == 0)
			count_port(stand, ret);
}

void serving_done(struct serving *serving)
{
	struct stand *stand;

	serving_discard(serving);
	for (size_t i = 0; i < stand_count(serving->setup); i++)
		stand_free(serving->stands[i]);
	while ((stand = LIST_FIRST(&serving->retired))) {
		LIST_REMOVE(stand, link);
		stand_free(stand);
	}
	setup_unref(&serving->setup);
	free(serving->stands);
	serving->stands = NULL;
}
