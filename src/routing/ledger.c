#include "ledger.h"

#include "rate.h"
#include "support/keyed_hash.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* Clients choose their addresses, so uthash is to hash with a secret of the ledger,
 * which each function that looks something up calls `ledger`. */
#define HASH_FUNCTION(keyptr, keylen, hashv)                                                       \
	((hashv) = (unsigned)keyed_hash(&ledger->secret, (keyptr), (keylen)))
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* A source that has connections; without any it is not kept. */
struct ledger_source {
	struct source source;
	uint64_t connections;
	UT_hash_handle hh;
};

struct ledger {
	struct slots *slots;
	struct hash_key secret;
	pthread_mutex_t lock; /* over all below */
	uint64_t max_per_source;
	uint64_t rate_count, rate_ms;  /* what the buckets are made for */
	struct rates *rates;           /* NULL without rate-per-source */
	struct ledger_source *sources; /* by their addresses */
};

int ledger_new(struct ledger **ret)
{
	struct ledger *ledger = calloc(1, sizeof *ledger);
	int error;

	if (!ledger)
		return -ENOMEM;
	error = slots_new(0, &ledger->slots);
	if (error == 0)
		error = -pthread_mutex_init(&ledger->lock, NULL);
	if (error < 0) {
		slots_unref(&ledger->slots);
		free(ledger);
		return error;
	}
	hash_key_init(&ledger->secret);
	*ret = ledger;
	return 0;
}

void ledger_free(struct ledger **ledger)
{
	if (!*ledger)
		return;
	assert(!(*ledger)->sources);
	rates_free(&(*ledger)->rates);
	slots_unref(&(*ledger)->slots);
	pthread_mutex_destroy(&(*ledger)->lock);
	free(*ledger);
	*ledger = NULL;
}

/* Buckets of another rate begin full. */
static int set_rate(struct ledger *ledger, uint64_t count, uint64_t per_ms)
{
	struct rates *rates = NULL;
	int error = 0;

	if (count == ledger->rate_count && per_ms == ledger->rate_ms)
		return 0;
	if (count > 0)
		error = rates_new(count, per_ms, &rates);
	if (error < 0)
		return error;
	rates_free(&ledger->rates);
	ledger->rates = rates;
	ledger->rate_count = count;
	ledger->rate_ms = per_ms;
	return 0;
}

int ledger_set_limits(struct ledger *ledger, const struct gate_settings *settings)
{
	int error;

	pthread_mutex_lock(&ledger->lock);
	error = set_rate(ledger, settings->rate_count, settings->rate_ms);
	if (error == 0)
		ledger->max_per_source = settings->max_per_source;
	pthread_mutex_unlock(&ledger->lock);
	if (error == 0)
		slots_set_max(ledger->slots, settings->max_connections);
	return error;
}

struct slots *ledger_slots(struct ledger *ledger)
{
	return ledger->slots;
}

static int count_in(struct ledger *ledger, const struct source *key, struct ledger_source **ret)
{
	struct ledger_source *source;

	HASH_FIND(hh, ledger->sources, key, sizeof *key, source);
	if (source && source->connections >= ledger->max_per_source)
		return -EDQUOT;
	if (!source) {
		source = calloc(1, sizeof *source);
		if (!source)
			return -ENOMEM;
		source->source = *key;
		HASH_ADD(hh, ledger->sources, source, sizeof source->source, source);
		if (!source->hh.tbl) {
			free(source);
			return -ENOMEM;
		}
	}
	source->connections++;
	*ret = source;
	return 0;
}

static void count_out(struct ledger *ledger, struct ledger_source *source)
{
	if (!source || --source->connections > 0)
		return;
	HASH_DEL(ledger->sources, source);
	free(source);
}

int ledger_enter(struct ledger *ledger, const struct source *source, uint64_t now_ms,
		 struct ledger_source **ret)
{
	struct ledger_source *counted = NULL;
	int error = 0;

	pthread_mutex_lock(&ledger->lock);
	if (ledger->max_per_source > 0)
		error = count_in(ledger, source, &counted);
	if (error == 0 && ledger->rates)
		error = rates_spend(ledger->rates, source, now_ms);
	if (error < 0)
		count_out(ledger, counted);
	pthread_mutex_unlock(&ledger->lock);
	if (error == 0)
		*ret = counted;
	return error;
}

void ledger_leave(struct ledger *ledger, struct ledger_source *source)
{
	if (!source)
		return;
	pthread_mutex_lock(&ledger->lock);
	count_out(ledger, source);
	pthread_mutex_unlock(&ledger->lock);
}

size_t ledger_sources(struct ledger *ledger)
{
	size_t count;

	pthread_mutex_lock(&ledger->lock);
	count = HASH_COUNT(ledger->sources);
	pthread_mutex_unlock(&ledger->lock);
	return count;
}
