#include "condition.h"

#include "condition_kind.h"
#include "support/option.h"

#include <errno.h>
#include <stdlib.h>

const cfg_opt_t condition_options[] = {
	CFG_STR_LIST("source", NULL, CFGF_NONE),      CFG_STR_LIST("local", NULL, CFGF_NONE),
	CFG_STR_LIST("peer-uid", NULL, CFGF_NONE),    CFG_STR_LIST("peer-gid", NULL, CFGF_NONE),
	CFG_STR_LIST("protocol", NULL, CFGF_NONE),    CFG_STR_LIST("sni", NULL, CFGF_NONE),
	CFG_STR_LIST("alpn", NULL, CFGF_NONE),        CFG_STR_LIST("host", NULL, CFGF_NONE),
	CFG_STR_LIST("starts-with", NULL, CFGF_NONE), CFG_END(),
};

struct values {
	struct condition_value *items;
	size_t count;
};

struct conditions {
	struct values of[CONDITION_KINDS]; /* in the table's order; without values: not asked for */
};

static int read_values(cfg_t *route, const struct condition_kind *condition, struct faults *faults,
		       struct values *values)
{
	unsigned count = cfg_size(route, condition->name);
	int error = 0;

	if (count == 0)
		return 0;
	values->items = calloc(count, sizeof *values->items);
	if (!values->items)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++) {
		struct condition_value *value = &values->items[values->count++];
		char problem[CONDITION_PROBLEM_SIZE] = "";

		value->text = cfg_getnstr(route, condition->name, i);
		if (condition->read(value, problem) < 0) {
			option_fault(route, condition->name, faults, "\"%s\": %s", value->text,
				     problem);
			error = -EINVAL;
		}
	}
	return error;
}

int conditions_new(cfg_t *route, struct faults *faults, struct conditions **ret)
{
	struct conditions *conditions = calloc(1, sizeof *conditions);
	int error = 0;

	if (!conditions)
		return -ENOMEM;
	for (size_t i = 0; i < CONDITION_KINDS && error != -ENOMEM; i++) {
		int result = read_values(route, &condition_kinds[i], faults, &conditions->of[i]);

		if (result < 0)
			error = result;
	}
	if (error < 0)
		conditions_free(&conditions);
	else
		*ret = conditions;
	return error;
}

void conditions_free(struct conditions **gone)
{
	struct conditions *conditions = *gone;

	*gone = NULL;
	if (!conditions)
		return;
	for (size_t i = 0; i < CONDITION_KINDS; i++)
		free(conditions->of[i].items);
	free(conditions);
}

static bool any_covers(const struct condition_kind *kind, const struct values *wide,
		       const struct condition_value *narrow)
{
	for (size_t i = 0; i < wide->count; i++)
		if (kind->covers(&wide->items[i], narrow))
			return true;
	return false;
}

static bool all_covered(const struct condition_kind *kind, const struct values *wide,
			const struct values *narrow)
{
	for (size_t i = 0; i < narrow->count; i++)
		if (!any_covers(kind, wide, &narrow->items[i]))
			return false;
	return narrow->count > 0;
}

/* Whether a condition of another kind is for one of these protocols alone. */
static bool any_implies(const struct conditions *conditions, const struct values *protocols)
{
	for (size_t i = 0; i < CONDITION_KINDS; i++)
		for (size_t n = 0; conditions->of[i].count > 0 && n < protocols->count; n++)
			if (condition_kinds[i].implies == protocols->items[n].as.recogniser)
				return true;
	return false;
}

bool conditions_cover(const struct conditions *earlier, const struct conditions *later)
{
	for (size_t i = 0; i < CONDITION_KINDS; i++) {
		const struct condition_kind *kind = &condition_kinds[i];
		const struct values *wide = &earlier->of[i];

		if (wide->count > 0 && !all_covered(kind, wide, &later->of[i]) &&
		    !(kind->recognises && any_implies(later, wide)))
			return false;
	}
	return true;
}

static bool possible(const struct condition_kind *condition, const struct values *values,
		     bool datagram)
{
	if (!(datagram ? condition->datagram : condition->stream))
		return false;
	if (!condition->recognises)
		return true;
	for (size_t i = 0; i < values->count; i++)
		if (datagram ? values->items[i].as.recogniser->datagram != NULL
			     : values->items[i].as.recogniser->stream != NULL)
			return true;
	return false;
}

const char *conditions_impossible(const struct conditions *conditions, bool datagram)
{
	for (size_t i = 0; i < CONDITION_KINDS; i++)
		if (conditions->of[i].count > 0 &&
		    !possible(&condition_kinds[i], &conditions->of[i], datagram))
			return condition_kinds[i].name;
	return NULL;
}

const char *conditions_only_unix(const struct conditions *conditions)
{
	for (size_t i = 0; i < CONDITION_KINDS; i++)
		if (conditions->of[i].count > 0 && condition_kinds[i].only_unix)
			return condition_kinds[i].name;
	return NULL;
}

/* Any value suffices. */
static enum verdict judge_any(const struct condition_kind *condition, const struct values *values,
			      struct sight *sight, size_t *ret_needed)
{
	enum verdict result = VERDICT_NO;

	for (size_t i = 0; i < values->count; i++) {
		size_t needed = 0;
		enum verdict verdict = condition->judge(&values->items[i], sight, &needed);

		if (verdict == VERDICT_MATCH)
			return verdict;
		if (verdict != VERDICT_MORE)
			continue;
		if (result == VERDICT_NO || needed < *ret_needed)
			*ret_needed = needed;
		result = VERDICT_MORE;
	}
	return result;
}

enum verdict conditions_judge(const struct conditions *conditions, struct sight *sight,
			      size_t *ret_needed)
{
	enum verdict result = VERDICT_MATCH;
	size_t fewest = 0;

	for (size_t i = 0; i < CONDITION_KINDS; i++) {
		size_t needed = 0;
		enum verdict verdict;

		if (conditions->of[i].count == 0 ||
		    (sight->bytes_only && !condition_kinds[i].bytes))
			continue;
		verdict = judge_any(&condition_kinds[i], &conditions->of[i], sight, &needed);
		if (verdict == VERDICT_NO || (verdict == VERDICT_MORE && !sight->transport))
			return VERDICT_NO;
		if (verdict != VERDICT_MORE)
			continue;
		if (result == VERDICT_MATCH || needed < fewest)
			fewest = needed;
		result = VERDICT_MORE;
	}
	if (result == VERDICT_MORE)
		*ret_needed = fewest;
	return result;
}
