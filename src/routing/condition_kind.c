#include "condition_kind.h"

#include "name_pattern.h"
#include "support/value.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

static enum verdict verdict_of(bool holds)
{
	return holds ? VERDICT_MATCH : VERDICT_NO;
}

static int read_network(struct condition_value *value, char problem[CONDITION_PROBLEM_SIZE])
{
	return network_parse(value->text, &value->as.network, problem);
}

static enum verdict judge_source(const struct condition_value *value, struct sight *sight,
				 size_t *ret_needed)
{
	(void)ret_needed;
	return verdict_of(network_contains(&value->as.network, &sight->peer));
}

static bool covers_network(const struct condition_value *wide, const struct condition_value *narrow)
{
	return network_covers(&wide->as.network, &narrow->as.network);
}

static int read_local(struct condition_value *value, char problem[CONDITION_PROBLEM_SIZE])
{
	value->whole_address = adopt_address_parse(value->text, &value->as.address) == 0;
	return value->whole_address ? 0 : read_network(value, problem);
}

static enum verdict judge_local(const struct condition_value *value, struct sight *sight,
				size_t *ret_needed)
{
	(void)ret_needed;
	return verdict_of(value->whole_address
				  ? network_same_address(&value->as.address, sight_local(sight))
				  : network_contains(&value->as.network, sight_local(sight)));
}

static bool covers_local(const struct condition_value *wide, const struct condition_value *narrow)
{
	if (wide->whole_address)
		return narrow->whole_address &&
		       network_same_address(&wide->as.address, &narrow->as.address);
	return narrow->whole_address ? network_contains(&wide->as.network, &narrow->as.address)
				     : covers_network(wide, narrow);
}

static int read_name(struct condition_value *value, char problem[CONDITION_PROBLEM_SIZE])
{
	const char *wrong = name_pattern_problem(value->text);

	if (!wrong)
		return 0;
	snprintf(problem, CONDITION_PROBLEM_SIZE, "%s", wrong);
	return -EINVAL;
}

/* To a pattern, the star of a narrower one is a label as any. */
static bool covers_name(const struct condition_value *wide, const struct condition_value *narrow)
{
	return name_pattern_match(wide->text, (const uint8_t *)narrow->text, strlen(narrow->text));
}

static enum verdict judge_sni(const struct condition_value *value, struct sight *sight,
			      size_t *ret_needed)
{
	enum verdict verdict = sight_hello(sight, ret_needed);

	if (verdict != VERDICT_MATCH)
		return verdict;
	return verdict_of(sight->hello.server_name &&
			  name_pattern_match(value->text, sight->hello.server_name,
					     sight->hello.server_name_length));
}

static int read_alpn(struct condition_value *value, char problem[CONDITION_PROBLEM_SIZE])
{
	size_t length = strlen(value->text);

	if (length > 0 && length <= 255)
		return 0;
	snprintf(problem, CONDITION_PROBLEM_SIZE,
		 "a protocol's name has 1 to 255 bytes, as in \"h2\"");
	return -EINVAL;
}

static enum verdict judge_alpn(const struct condition_value *value, struct sight *sight,
			       size_t *ret_needed)
{
	enum verdict verdict = sight_hello(sight, ret_needed);

	if (verdict != VERDICT_MATCH)
		return verdict;
	return verdict_of(client_hello_offers(&sight->hello, value->text));
}

static bool covers_alpn(const struct condition_value *wide, const struct condition_value *narrow)
{
	return strcmp(wide->text, narrow->text) == 0;
}

static int read_protocol(struct condition_value *value, char problem[CONDITION_PROBLEM_SIZE])
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
		snprintf(problem, CONDITION_PROBLEM_SIZE, "unknown protocol; did you mean \"%s\"?",
			 near);
	else
		snprintf(problem, CONDITION_PROBLEM_SIZE,
			 "unknown protocol; adoptd.conf(5) lists them");
	return -EINVAL;
}

static enum verdict judge_protocol(const struct condition_value *value, struct sight *sight,
				   size_t *ret_needed)
{
	const struct recogniser *recogniser = value->as.recogniser;

	if (!sight->transport)
		return verdict_of(recogniser->datagram &&
				  recogniser->datagram(sight->data, sight->length));
	return recogniser->stream ? recogniser->stream(sight->data, sight->length, ret_needed)
				  : VERDICT_NO;
}

static bool covers_protocol(const struct condition_value *wide,
			    const struct condition_value *narrow)
{
	return wide->as.recogniser == narrow->as.recogniser;
}

static enum verdict judge_host(const struct condition_value *value, struct sight *sight,
			       size_t *ret_needed)
{
	enum verdict verdict = sight_host(sight, ret_needed);

	if (verdict != VERDICT_MATCH)
		return verdict;
	return verdict_of(name_pattern_match(value->text, sight->host, sight->host_length));
}

static int read_prefix(struct condition_value *value, char problem[CONDITION_PROBLEM_SIZE])
{
	return prefix_parse(value->text, &value->as.prefix, problem);
}

static enum verdict judge_prefix(const struct condition_value *value, struct sight *sight,
				 size_t *ret_needed)
{
	return prefix_match(&value->as.prefix, sight->data, sight->length, ret_needed);
}

static bool covers_prefix(const struct condition_value *wide, const struct condition_value *narrow)
{
	const struct prefix *prefix = &narrow->as.prefix;
	size_t unused;

	return prefix_match(&wide->as.prefix, prefix->bytes, prefix->length, &unused) ==
	       VERDICT_MATCH;
}

static int read_uid(struct condition_value *value, char problem[CONDITION_PROBLEM_SIZE])
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
	snprintf(problem, CONDITION_PROBLEM_SIZE, "no such user; write a name or a number");
	return -EINVAL;
}

static enum verdict judge_uid(const struct condition_value *value, struct sight *sight,
			      size_t *ret_needed)
{
	(void)ret_needed;
	return verdict_of(sight_identified(sight) && sight->uid == value->as.uid);
}

static bool covers_uid(const struct condition_value *wide, const struct condition_value *narrow)
{
	return wide->as.uid == narrow->as.uid;
}

static int read_gid(struct condition_value *value, char problem[CONDITION_PROBLEM_SIZE])
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
	snprintf(problem, CONDITION_PROBLEM_SIZE, "no such group; write a name or a number");
	return -EINVAL;
}

static enum verdict judge_gid(const struct condition_value *value, struct sight *sight,
			      size_t *ret_needed)
{
	(void)ret_needed;
	return verdict_of(sight_identified(sight) && sight->gid == value->as.gid);
}

static bool covers_gid(const struct condition_value *wide, const struct condition_value *narrow)
{
	return wide->as.gid == narrow->as.gid;
}

const struct condition_kind condition_kinds[CONDITION_KINDS] = {
	{
		.name = "source",
		.stream = true,
		.datagram = true,
		.read = read_network,
		.judge = judge_source,
		.covers = covers_network,
	},
	{
		.name = "local",
		.stream = true,
		.datagram = true,
		.read = read_local,
		.judge = judge_local,
		.covers = covers_local,
	},
	{
		.name = "peer-uid",
		.stream = true,
		.only_unix = true,
		.read = read_uid,
		.judge = judge_uid,
		.covers = covers_uid,
	},
	{
		.name = "peer-gid",
		.stream = true,
		.only_unix = true,
		.read = read_gid,
		.judge = judge_gid,
		.covers = covers_gid,
	},
	{
		.name = "protocol",
		.bytes = true,
		.stream = true,
		.datagram = true,
		.recognises = true,
		.read = read_protocol,
		.judge = judge_protocol,
		.covers = covers_protocol,
	},
	{
		.name = "starts-with",
		.bytes = true,
		.stream = true,
		.datagram = true,
		.read = read_prefix,
		.judge = judge_prefix,
		.covers = covers_prefix,
	},
	{
		.name = "sni",
		.bytes = true,
		.stream = true,
		.implies = &recogniser_tls,
		.read = read_name,
		.judge = judge_sni,
		.covers = covers_name,
	},
	{
		.name = "alpn",
		.bytes = true,
		.stream = true,
		.implies = &recogniser_tls,
		.read = read_alpn,
		.judge = judge_alpn,
		.covers = covers_alpn,
	},
	{
		.name = "host",
		.bytes = true,
		.stream = true,
		.implies = &recogniser_http,
		.read = read_name,
		.judge = judge_host,
		.covers = covers_name,
	},
};
