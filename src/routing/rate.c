#include "rate.h"

#include "support/keyed_hash.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

/* Clients choose their addresses, so uthash is to hash with a secret of the rates,
 * which each function that looks something up calls `rates`. */
#define HASH_FUNCTION(keyptr, keylen, hashv)                                                       \
	((hashv) = (unsigned)keyed_hash(&rates->secret, (keyptr), (keylen)))
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* More than the one that a call may add, so that old buckets go; not all at once, so
 * that no call takes long. */
#define FORGET_AT_ONCE 2

/* A connection costs the rate's time, a millisecond brings its count: so nothing is
 * rounded, however many come in a millisecond. */
struct bucket {
	struct source source;
	uint64_t level;
	uint64_t asked_ms; /* the level is of then */
	TAILQ_ENTRY(bucket) by_age;
	UT_hash_handle hh;
};

struct rates {
	uint64_t count;
	uint64_t per_ms;
	struct hash_key secret;
	struct bucket *buckets;                  /* by their sources */
	TAILQ_HEAD(bucket_queue, bucket) by_age; /* who has not asked for longest first */
};

int rates_new(uint64_t count, uint64_t per_ms, struct rates **ret)
{
	struct rates *rates = calloc(1, sizeof *rates);

	assert(count >= 1 && count <= RATE_MAX_COUNT);
	assert(per_ms >= 1 && per_ms <= RATE_MAX_MS);
	if (!rates)
		return -ENOMEM;
	rates->count = count;
	rates->per_ms = per_ms;
	hash_key_init(&rates->secret);
	TAILQ_INIT(&rates->by_age);
	*ret = rates;
	return 0;
}

static void bucket_forget(struct rates *rates, struct bucket *bucket)
{
	HASH_DEL(rates->buckets, bucket);
	TAILQ_REMOVE(&rates->by_age, bucket, by_age);
	free(bucket);
}

void rates_free(struct rates **rates)
{
	struct bucket *bucket;

	if (!*rates)
		return;
	while ((bucket = TAILQ_FIRST(&(*rates)->by_age)))
		bucket_forget(*rates, bucket);
	free(*rates);
	*rates = NULL;
}

static uint64_t full(const struct rates *rates)
{
	return rates->count * rates->per_ms;
}

static uint64_t level_at(const struct rates *rates, const struct bucket *bucket, uint64_t now_ms)
{
	uint64_t elapsed_ms = now_ms - bucket->asked_ms;
	uint64_t level;

	if (elapsed_ms >= rates->per_ms)
		return full(rates);
	level = bucket->level + elapsed_ms * rates->count;
	return level < full(rates) ? level : full(rates);
}

/* A full bucket is as good as none. */
static void forget_full(struct rates *rates, uint64_t now_ms)
{
	for (int i = 0; i < FORGET_AT_ONCE; i++) {
		struct bucket *oldest = TAILQ_FIRST(&rates->by_age);

		if (!oldest || level_at(rates, oldest, now_ms) < full(rates))
			return;
		bucket_forget(rates, oldest);
	}
}

static struct bucket *bucket_new(struct rates *rates, const struct source *source, uint64_t now_ms)
{
	struct bucket *bucket;

	if (HASH_COUNT(rates->buckets) >= RATES_MAX_SOURCES)
		bucket_forget(rates, TAILQ_FIRST(&rates->by_age));
	bucket = calloc(1, sizeof *bucket);
	if (!bucket)
		return NULL;
	bucket->source = *source;
	bucket->level = full(rates);
	bucket->asked_ms = now_ms;
	HASH_ADD(hh, rates->buckets, source, sizeof bucket->source, bucket);
	if (!bucket->hh.tbl) {
		free(bucket);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&rates->by_age, bucket, by_age);
	return bucket;
}

int rates_spend(struct rates *rates, const struct source *source, uint64_t now_ms)
{
	struct bucket *bucket;

	forget_full(rates, now_ms);
	HASH_FIND(hh, rates->buckets, source, sizeof *source, bucket);
	if (!bucket)
		bucket = bucket_new(rates, source, now_ms);
	if (!bucket)
		return -ENOMEM;
	bucket->level = level_at(rates, bucket, now_ms);
	bucket->asked_ms = now_ms;
	/* Who keeps coming while refused must not get a new bucket for being old. */
	TAILQ_REMOVE(&rates->by_age, bucket, by_age);
	TAILQ_INSERT_TAIL(&rates->by_age, bucket, by_age);
	if (bucket->level < rates->per_ms)
		return -EBUSY;
	bucket->level -= rates->per_ms;
	return 0;
}

size_t rates_sources(const struct rates *rates)
{
	return HASH_COUNT(rates->buckets);
}
