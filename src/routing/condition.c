#include "condition.h"

#include "name_pattern.h"
#include "network.h"
#include "prefix.h"
#include "support/option.h"
#include "support/value.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#define PROBLEM_SIZE 192

/* One value of one condition. */
struct value {
	const char *text; /* as written; the configuration's */
	union {
		struct network network;
		struct adopt_address address;
		const struct recogniser *recogniser;
		struct prefix prefix;
		uid_t uid;
		gid_t gid;
	} as;
	bool whole_address; /* `local` with a port: `as.address`, else `as.network` */
};

struct condition {
	const char *name;
	bool bytes; /* needs bytes from the client */
	bool stream;
	bool datagram;
	/* Reads value->text. Returns 0, or -EINVAL and what is wrong. */
	int (*read)(struct value *value, char problem[PROBLEM_SIZE]);
	enum verdict (*judge)(const struct value *value, struct sight *sight, size_t *ret_needed);
};

static enum verdict verdict_of(bool holds)
{
	return holds ? VERDICT_MATCH : VERDICT_NO;
}

static int read_network(struct value *value, char problem[PROBLEM_SIZE])
{
	return network_parse(value->text, &value->as.network, problem);
}

static enum verdict judge_source(const struct value *value, struct sight *sight, size_t *ret_needed)
{
	(void)ret_needed;
	return verdict_of(network_contains(&value->as.network, &sight->peer));
}

static int read_local(struct value *value, char problem[PROBLEM_SIZE])
{
	value->whole_address = adopt_address_parse(value->text, &value->as.address) == 0;
	return value->whole_address ? 0 : read_network(value, problem);
}

static enum verdict judge_local(const struct value *value, struct sight *sight, size_t *ret_needed)
{
	(void)ret_needed;
	return verdict_of(value->whole_address
				  ? network_same_address(&value->as.address, sight_local(sight))
				  : network_contains(&value->as.network, sight_local(sight)));
}

static int read_name(struct value *value, char problem[PROBLEM_SIZE])
{
	const char *wrong = name_pattern_problem(value->text);

	if (!wrong)
		return 0;
	snprintf(problem, PROBLEM_SIZE, "%s", wrong);
	return -EINVAL;
}

static enum verdict judge_sni(const struct value *value, struct sight *sight, size_t *ret_needed)
{
	enum verdict verdict = sight_hello(sight, ret_needed);

	if (verdict != VERDICT_MATCH)
		return verdict;
	return verdict_of(sight->hello.server_name &&
			  name_pattern_match(value->text, sight->hello.server_name,
					     sight->hello.server_name_length));
}

static int read_alpn(struct value *value, char problem[PROBLEM_SIZE])
{
	size_t length = strlen(value->text);

	if (length > 0 && length <= 255)
		return 0;
	snprintf(problem, PROBLEM_SIZE, "a protocol's name has 1 to 255 bytes, as in \"h2\"");
	return -EINVAL;
}

static enum verdict judge_alpn(const struct value *value, struct sight *sight, size_t *ret_needed)
{
	enum verdict verdict = sight_hello(sight, ret_needed);

	if (verdict != VERDICT_MATCH)
		return verdict;
	return verdict_of(client_hello_offers(&sight->hello, value->text));
}

static int read_protocol(struct value *value, char problem[PROBLEM_SIZE])
{
	const char *names[32] = {NULL};
	const char *near;

	value->as.recogniser = recogniser_find(value->text);
	if (value->as.recogniser)
		return 0;
	for (size_t i = 0; recognisers[i] && i + 1 < sizeof names / sizeof names[0]; i++)
		names[i] = recognisers[i]->name;
	near = value_suggest(value->text, names);
	if (near)
		snprintf(problem, PROBLEM_SIZE, "unknown protocol; did you mean \"%s\"?", near);
	else
		snprintf(problem, PROBLEM_SIZE, "unknown protocol; adoptd.conf(5) lists them");
	return -EINVAL;
}

static enum verdict judge_protocol(const struct value *value, struct sight *sight,
				   size_t *ret_needed)
{
	const struct recogniser *recogniser = value->as.recogniser;

	if (!sight->transport)
		return verdict_of(recogniser->datagram &&
				  recogniser->datagram(sight->data, sight->length));
	return recogniser->stream ? recogniser->stream(sight->data, sight->length, ret_needed)
				  : VERDICT_NO;
}

static enum verdict judge_host(const struct value *value, struct sight *sight, size_t *ret_needed)
{
	enum verdict verdict = sight_host(sight, ret_needed);

	if (verdict != VERDICT_MATCH)
		return verdict;
	return verdict_of(name_pattern_match(value->text, sight->host, sight->host_length));
}

static int read_prefix(struct value *value, char problem[PROBLEM_SIZE])
{
	return prefix_parse(value->text, &value->as.prefix, problem);
}

static enum verdict judge_prefix(const struct value *value, struct sight *sight, size_t *ret_needed)
{
	return prefix_match(&value->as.prefix, sight->data, sight->length, ret_needed);
}

static int read_uid(struct value *value, char problem[PROBLEM_SIZE])
{
	uint64_t number;
	struct passwd *user = NULL;

	if (value_number(value->text, 0, UINT32_MAX, &number) == 0) {
		value->as.uid = (uid_t)number;
		return 0;
	}
	user = getpwnam(value->text);
	if (user) {
		value->as.uid = user->pw_uid;
		return 0;
	}
	snprintf(problem, PROBLEM_SIZE, "no such user; write a name or a number");
	return -EINVAL;
}

static enum verdict judge_uid(const struct value *value, struct sight *sight, size_t *ret_needed)
{
	(void)ret_needed;
	return verdict_of(sight_identified(sight) && sight->uid == value->as.uid);
}

static int read_gid(struct value *value, char problem[PROBLEM_SIZE])
{
	uint64_t number;
	struct group *group = NULL;

	if (value_number(value->text, 0, UINT32_MAX, &number) == 0) {
		value->as.gid = (gid_t)number;
		return 0;
	}
	group = getgrnam(value->text);
	if (group) {
		value->as.gid = group->gr_gid;
		return 0;
	}
	snprintf(problem, PROBLEM_SIZE, "no such group; write a name or a number");
	return -EINVAL;
}

static enum verdict judge_gid(const struct value *value, struct sight *sight, size_t *ret_needed)
{
	(void)ret_needed;
	return verdict_of(sight_identified(sight) && sight->gid == value->as.gid);
}

/* Those that need no bytes first: what they rule out needs no look. */
static const struct condition table[] = {
	{"source", false, true, true, read_network, judge_source},
	{"local", false, true, true, read_local, judge_local},
	{"peer-uid", false, true, false, read_uid, judge_uid},
	{"peer-gid", false, true, false, read_gid, judge_gid},
	{"protocol", true, true, true, read_protocol, judge_protocol},
	{"starts-with", true, true, true, read_prefix, judge_prefix},
	{"sni", true, true, false, read_name, judge_sni},
	{"alpn", true, true, false, read_alpn, judge_alpn},
	{"host", true, true, false, read_name, judge_host},
};

#define CONDITIONS (sizeof table / sizeof table[0])

const cfg_opt_t condition_options[] = {
	CFG_STR_LIST("source", NULL, CFGF_NONE),      CFG_STR_LIST("local", NULL, CFGF_NONE),
	CFG_STR_LIST("peer-uid", NULL, CFGF_NONE),    CFG_STR_LIST("peer-gid", NULL, CFGF_NONE),
	CFG_STR_LIST("protocol", NULL, CFGF_NONE),    CFG_STR_LIST("sni", NULL, CFGF_NONE),
	CFG_STR_LIST("alpn", NULL, CFGF_NONE),        CFG_STR_LIST("host", NULL, CFGF_NONE),
	CFG_STR_LIST("starts-with", NULL, CFGF_NONE), CFG_END(),
};

struct values {
	struct value *items;
	size_t count;
};

struct conditions {
	struct values of[CONDITIONS]; /* by the table's order; without values: not asked for */
};

static int read_values(cfg_t *route, const struct condition *condition, struct faults *faults,
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
		struct value *value = &values->items[values->count++];
		char problem[PROBLEM_SIZE] = "";

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
	for (size_t i = 0; i < CONDITIONS && error != -ENOMEM; i++) {
		int result = read_values(route, &table[i], faults, &conditions->of[i]);

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
	for (size_t i = 0; i < CONDITIONS; i++)
		free(conditions->of[i].items);
	free(conditions);
}

bool conditions_none(const struct conditions *conditions)
{
	for (size_t i = 0; i < CONDITIONS; i++)
		if (conditions->of[i].count > 0)
			return false;
	return true;
}

static bool has_value(const struct values *values, const char *text)
{
	for (size_t i = 0; i < values->count; i++)
		if (strcmp(values->items[i].text, text) == 0)
			return true;
	return false;
}

bool conditions_cover(const struct conditions *earlier, const struct conditions *later)
{
	for (size_t i = 0; i < CONDITIONS; i++) {
		const struct values *wide = &earlier->of[i], *narrow = &later->of[i];

		if (wide->count == 0)
			continue;
		if (narrow->count == 0)
			return false;
		for (size_t n = 0; n < narrow->count; n++)
			if (!has_value(wide, narrow->items[n].text))
				return false;
	}
	return true;
}

static bool possible(const struct condition *condition, const struct values *values, bool datagram)
{
	if (!(datagram ? condition->datagram : condition->stream))
		return false;
	if (condition->judge != judge_protocol)
		return true;
	for (size_t i = 0; i < values->count; i++)
		if (datagram ? values->items[i].as.recogniser->datagram != NULL
			     : values->items[i].as.recogniser->stream != NULL)
			return true;
	return false;
}

const char *conditions_impossible(const struct conditions *conditions, bool datagram)
{
	for (size_t i = 0; i < CONDITIONS; i++)
		if (conditions->of[i].count > 0 &&
		    !possible(&table[i], &conditions->of[i], datagram))
			return table[i].name;
	return NULL;
}

/* Any value suffices. */
static enum verdict judge_any(const struct condition *condition, const struct values *values,
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

	for (size_t i = 0; i < CONDITIONS; i++) {
		size_t needed = 0;
		enum verdict verdict;

		if (conditions->of[i].count == 0 || (sight->bytes_only && !table[i].bytes))
			continue;
		verdict = judge_any(&table[i], &conditions->of[i], sight, &needed);
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
