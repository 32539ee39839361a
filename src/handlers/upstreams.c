#include "upstreams.h"

#include "support/log.h"
#include "support/lookup.h"

#include <errno.h>
#include <stdlib.h>

/* For how long an answer is used: what its name servers say, within these. */
#define TTL_MIN_MS 1000
#define TTL_MAX_MS (3600 * 1000)

/* When a name is asked for again that was not found. */
#define NOT_FOUND_MS 1000

/* One text of the `upstream` option. */
struct origin {
	struct upstreams *owner;
	const struct endpoint *endpoint;
	struct lookup *lookup; /* under way */
	uint64_t fresh_until_ms;
	uint64_t stale_until_ms;
	bool failed; /* and told so */
};

struct upstreams {
	struct adopt_reactor *reactor;
	struct upstreams_settings settings;
	struct origin *origins; /* settings.count */
	struct upstream **items;
	size_t count;
	LIST_HEAD(, upstreams_waiter) waiters;
};

/* Puts an upstream into the list, whose it then is. */
static int append(struct upstream ***items, size_t *count, struct upstream *upstream)
{
	struct upstream **grown =
		upstream ? realloc(*items, (*count + 1) * sizeof(*items)[0]) : NULL;

	if (!grown) {
		upstream_unref(&upstream);
		return -ENOMEM;
	}
	*items = grown;
	grown[(*count)++] = upstream;
	return 0;
}

static void drop_all(struct upstream **items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		upstream_unref(&items[i]);
	free(items);
}

static struct upstream *find(const struct upstreams *upstreams, const struct origin *origin,
			     const struct adopt_address *address)
{
	for (size_t i = 0; i < upstreams->count; i++)
		if (upstreams->items[i]->origin == origin &&
		    adopt_address_equal(&upstreams->items[i]->address, address))
			return upstreams->items[i];
	return NULL;
}

static struct upstream *make_upstream(const struct upstreams *upstreams,
				      const struct adopt_address *address,
				      const struct origin *origin, bool named)
{
	const struct upstreams_settings *settings = &upstreams->settings;

	const char *name = named ? origin->endpoint->name : NULL;

	return upstream_new(address, health_take(settings->health, address, settings->type, name),
			    origin, named);
}

/* One that was there already stays what it is. */
static int take_found(const struct upstreams *upstreams, const struct origin *origin,
		      const struct lookup_address *found, struct upstream ***items, size_t *count)
{
	struct upstream *upstream = find(upstreams, origin, &found->address);

	upstream = upstream ? upstream_ref(upstream)
			    : make_upstream(upstreams, &found->address, origin, true);
	if (upstream) {
		upstream->priority = found->priority;
		upstream->weight = found->weight;
	}
	return append(items, count, upstream);
}

/* Replaces what an origin had by what was found; without memory all stays. */
static int replace(struct upstreams *upstreams, const struct origin *origin,
		   const struct lookup_answer *answer)
{
	struct upstream **items = NULL;
	size_t count = 0;
	int error = 0;

	for (size_t i = 0; error == 0 && i < upstreams->count; i++)
		if (upstreams->items[i]->origin != origin)
			error = append(&items, &count, upstream_ref(upstreams->items[i]));
	for (size_t i = 0; error == 0 && i < answer->count; i++)
		error = take_found(upstreams, origin, &answer->addresses[i], &items, &count);
	if (error < 0) {
		drop_all(items, count);
		return error;
	}
	drop_all(upstreams->items, upstreams->count);
	upstreams->items = items;
	upstreams->count = count;
	return 0;
}

static void tell(struct origin *origin, int error)
{
	const char *name = origin->endpoint->name;

	if (origin->failed == (error < 0))
		return;
	origin->failed = error < 0;
	if (error == 0)
		log_notice("proxy: upstream %s is found again", name);
	else if (error == -EHOSTUNREACH)
		log_warning("proxy: upstream %s has no address", name);
	else
		log_warning("proxy: upstream %s cannot be resolved: %s", name,
			    error == -EAGAIN ? "no name server answers" : adopt_error_text(error));
}

static uint64_t clamp_ttl(uint64_t ttl_ms)
{
	if (ttl_ms < TTL_MIN_MS)
		return TTL_MIN_MS;
	return ttl_ms < TTL_MAX_MS ? ttl_ms : TTL_MAX_MS;
}

static bool must_wait(const struct upstreams *upstreams)
{
	uint64_t now = adopt_reactor_now_ms(upstreams->reactor);

	for (size_t i = 0; i < upstreams->settings.count; i++)
		if (upstreams->origins[i].lookup && now >= upstreams->origins[i].stale_until_ms)
			return true;
	return false;
}

static void found(void *context, int error, const struct lookup_answer *answer)
{
	struct origin *origin = context;
	struct upstreams *upstreams = origin->owner;
	uint64_t ttl_ms = error == 0 ? clamp_ttl(answer->ttl_ms) : NOT_FOUND_MS;
	uint64_t now = adopt_reactor_now_ms(upstreams->reactor);

	origin->lookup = NULL;
	origin->fresh_until_ms = now + ttl_ms;
	origin->stale_until_ms = now + 2 * ttl_ms;
	/* What nobody could say changes nothing: the addresses of before are better than
	   none. That there are none is an answer. */
	if (error == 0 || error == -EHOSTUNREACH)
		if (replace(upstreams, origin, answer) < 0)
			error = -ENOMEM;
	tell(origin, error);
	while (!must_wait(upstreams) && !LIST_EMPTY(&upstreams->waiters)) {
		struct upstreams_waiter *waiter = LIST_FIRST(&upstreams->waiters);

		upstreams_leave(waiter);
		waiter->found(waiter);
	}
}

static void refresh(struct origin *origin)
{
	struct upstreams *upstreams = origin->owner;
	uint64_t now = adopt_reactor_now_ms(upstreams->reactor);
	int error;

	if (origin->endpoint->kind == ENDPOINT_ADDRESS || origin->lookup ||
	    now < origin->fresh_until_ms)
		return;
	error = lookup_begin(upstreams->reactor, origin->endpoint, upstreams->settings.type,
			     upstreams->settings.servers, found, origin, &origin->lookup);
	if (error < 0) {
		tell(origin, error);
		origin->fresh_until_ms = now + NOT_FOUND_MS;
	}
}

bool upstreams_ready(struct upstreams *upstreams, struct upstreams_waiter *waiter)
{
	for (size_t i = 0; i < upstreams->settings.count; i++)
		refresh(&upstreams->origins[i]);
	if (!must_wait(upstreams))
		return true;
	LIST_INSERT_HEAD(&upstreams->waiters, waiter, link);
	waiter->waiting = true;
	return false;
}

void upstreams_leave(struct upstreams_waiter *waiter)
{
	if (!waiter->waiting)
		return;
	LIST_REMOVE(waiter, link);
	waiter->waiting = false;
}

struct upstream *upstreams_choose(struct upstreams *upstreams, const struct balance_client *client)
{
	return balance_choose(upstreams->settings.balance, upstreams->items, upstreams->count,
			      client);
}

size_t upstreams_count(const struct upstreams *upstreams)
{
	return upstreams->count;
}

int upstreams_new(struct adopt_reactor *reactor, const struct upstreams_settings *settings,
		  struct upstreams **ret)
{
	struct upstreams *upstreams = calloc(1, sizeof *upstreams);
	struct origin *origins = calloc(settings->count, sizeof *origins);
	int error = 0;

	if (!upstreams || !origins) {
		free(upstreams);
		free(origins);
		return -ENOMEM;
	}
	*upstreams = (struct upstreams){
		.reactor = reactor,
		.settings = *settings,
		.origins = origins,
	};
	for (size_t i = 0; error == 0 && i < settings->count; i++) {
		const struct endpoint *endpoint = &settings->endpoints[i];

		origins[i] = (struct origin){.owner = upstreams, .endpoint = endpoint};
		if (endpoint->kind == ENDPOINT_ADDRESS)
			error = append(
				&upstreams->items, &upstreams->count,
				make_upstream(upstreams, &endpoint->address, &origins[i], false));
	}
	if (error < 0) {
		upstreams_free(&upstreams);
		return error;
	}
	*ret = upstreams;
	return 0;
}

void upstreams_stop(struct upstreams *upstreams)
{
	for (size_t i = 0; i < upstreams->settings.count; i++)
		lookup_cancel(&upstreams->origins[i].lookup);
}

void upstreams_free(struct upstreams **ret)
{
	struct upstreams *upstreams = *ret;

	*ret = NULL;
	if (!upstreams)
		return;
	upstreams_stop(upstreams);
	drop_all(upstreams->items, upstreams->count);
	free(upstreams->origins);
	free(upstreams);
}
