#include "xinetd_entry.h"

#include "networks.h"
#include "support/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How many values an attribute takes, where that is no number. */
#define ANY_NUMBER 0
#define LIST (-1) /* += and -= work, too */

enum place {
	SERVICE = 1,
	DEFAULTS = 2,
	BOTH = SERVICE | DEFAULTS,
};

struct rule {
	const char *name;
	int values;
	enum place place;
	const char *instead; /* of what has no counterpart */
};

static const struct rule rules[XINETD_ATTRIBUTES] = {
	[XINETD_ACCESS_TIMES] = {"access_times", ANY_NUMBER, SERVICE,
				 "timer units can start and stop the socket unit"},
	[XINETD_BANNER] = {"banner", 1, BOTH, "nothing is sent but what the service says"},
	[XINETD_BANNER_FAIL] = {"banner_fail", 1, BOTH, "who is refused is told nothing"},
	[XINETD_BANNER_SUCCESS] = {"banner_success", 1, BOTH,
				   "nothing is sent but what the service says"},
	[XINETD_BIND] = {"bind", 1, BOTH, NULL},
	[XINETD_CPS] = {"cps", 2, BOTH,
			"rate-per-source limits each client, max-connections and max-processes "
			"all of them"},
	[XINETD_DENY_TIME] = {"deny_time", 1, SERVICE, "there are no sensors"},
	[XINETD_DISABLE] = {"disable", 1, SERVICE, NULL},
	[XINETD_DISABLED] = {"disabled", LIST, DEFAULTS, NULL},
	[XINETD_ENABLED] = {"enabled", LIST, DEFAULTS, NULL},
	[XINETD_ENV] = {"env", LIST, SERVICE, NULL},
	[XINETD_FLAGS] = {"flags", ANY_NUMBER, SERVICE, NULL},
	[XINETD_GROUP] = {"group", 1, SERVICE, NULL},
	[XINETD_GROUPS] = {"groups", 1, BOTH, NULL},
	[XINETD_ID] = {"id", 1, SERVICE, NULL},
	[XINETD_INSTANCES] = {"instances", 1, BOTH, NULL},
	[XINETD_LIBWRAP] = {"libwrap", 1, SERVICE,
			    "hosts.allow and hosts.deny are not asked; see allow and deny"},
	[XINETD_LOG_ON_FAILURE] = {"log_on_failure", LIST, BOTH, NULL},
	[XINETD_LOG_ON_SUCCESS] = {"log_on_success", LIST, BOTH, NULL},
	[XINETD_LOG_TYPE] = {"log_type", ANY_NUMBER, BOTH, NULL},
	[XINETD_MAX_LOAD] = {"max_load", 1, BOTH,
			     "max-connections and max-processes keep the load down"},
	[XINETD_MDNS] = {"mdns", 1, BOTH, "a file in /etc/avahi/services announces a service"},
	[XINETD_NICE] = {"nice", 1, SERVICE, NULL},
	[XINETD_NO_ACCESS] = {"no_access", LIST, BOTH, NULL},
	[XINETD_ONLY_FROM] = {"only_from", LIST, BOTH, NULL},
	[XINETD_PASSENV] = {"passenv", LIST, BOTH, NULL},
	[XINETD_PER_SOURCE] = {"per_source", 1, BOTH, NULL},
	[XINETD_PORT] = {"port", 1, SERVICE, NULL},
	[XINETD_PROTOCOL] = {"protocol", 1, SERVICE, NULL},
	[XINETD_REDIRECT] = {"redirect", 2, SERVICE, NULL},
	[XINETD_RLIMIT_AS] = {"rlimit_as", 1, SERVICE, NULL},
	[XINETD_RLIMIT_CPU] = {"rlimit_cpu", 1, SERVICE, NULL},
	[XINETD_RLIMIT_DATA] = {"rlimit_data", 1, SERVICE, NULL},
	[XINETD_RLIMIT_FILES] = {"rlimit_files", 1, SERVICE, NULL},
	[XINETD_RLIMIT_RSS] = {"rlimit_rss", 1, SERVICE, NULL},
	[XINETD_RLIMIT_STACK] = {"rlimit_stack", 1, SERVICE, NULL},
	[XINETD_RPC_NUMBER] = {"rpc_number", 1, SERVICE, "nothing is registered with rpcbind"},
	[XINETD_RPC_VERSION] = {"rpc_version", 1, SERVICE, "nothing is registered with rpcbind"},
	[XINETD_SERVER] = {"server", 1, SERVICE, NULL},
	[XINETD_SERVER_ARGS] = {"server_args", ANY_NUMBER, SERVICE, NULL},
	[XINETD_SOCKET_TYPE] = {"socket_type", 1, SERVICE, NULL},
	[XINETD_TYPE] = {"type", ANY_NUMBER, SERVICE, NULL},
	[XINETD_UMASK] = {"umask", 1, BOTH, NULL},
	[XINETD_USER] = {"user", 1, SERVICE, NULL},
	[XINETD_V6ONLY] = {"v6only", 1, BOTH, NULL},
	[XINETD_WAIT] = {"wait", 1, SERVICE, NULL},
};

int xinetd_entry_new(const char *name, const char *file, int line, struct xinetd_entry **ret)
{
	struct xinetd_entry *entry = calloc(1, sizeof *entry);

	if (!entry)
		return -ENOMEM;
	entry->file = file;
	entry->line = line;
	entry->name = name ? strdup(name) : NULL;
	if (name && !entry->name) {
		free(entry);
		return -ENOMEM;
	}
	*ret = entry;
	return 0;
}

void xinetd_entry_free(struct xinetd_entry **entry)
{
	if (!*entry)
		return;
	for (size_t i = 0; i < XINETD_ATTRIBUTES; i++)
		words_done(&(*entry)->values[i].words);
	free((*entry)->name);
	free(*entry);
	*entry = NULL;
}

struct xinetd_values *xinetd_entry_find(struct xinetd_entry *entry, struct xinetd_entry *defaults,
					enum xinetd_attribute attribute)
{
	if (entry->values[attribute].file)
		return &entry->values[attribute];
	if (defaults && defaults->values[attribute].file)
		return &defaults->values[attribute];
	return NULL;
}

const char *xinetd_attribute_name(enum xinetd_attribute attribute)
{
	return rules[attribute].name;
}

const char *xinetd_attribute_instead(enum xinetd_attribute attribute)
{
	return rules[attribute].instead;
}

/* Tells what xinetd does, too. Returns 0. */
static int ignore(const struct xinetd_place *place, const char *name, const char *why)
{
	fault_add(place->faults, FAULT_WARNING, place->file, place->line,
		  "%s: %s; xinetd ignores this line", name, why);
	return 0;
}

static int ignore_unknown(const struct xinetd_place *place, const char *name)
{
	const char *names[XINETD_ATTRIBUTES + 1] = {NULL};
	const char *suggestion;

	for (size_t i = 0; i < XINETD_ATTRIBUTES; i++)
		names[i] = rules[i].name;
	suggestion = value_suggest(name, names);
	if (!suggestion)
		return ignore(place, name, "unknown");
	fault_add(place->faults, FAULT_WARNING, place->file, place->line,
		  "%s: unknown; did you mean %s? xinetd ignores this line", name, suggestion);
	return 0;
}

/* Returns XINETD_ATTRIBUTES for one that is not known. */
static enum xinetd_attribute find_attribute(const char *name)
{
	size_t i = 0;

	if (strcmp(name, "interface") == 0)
		return XINETD_BIND;
	while (i < XINETD_ATTRIBUTES && strcmp(rules[i].name, name) != 0)
		i++;
	return (enum xinetd_attribute)i;
}

/* Returns why xinetd does not take an assignment, or NULL. */
static const char *find_obstacle(const struct rule *rule, enum place place,
				 enum xinetd_assignment how, const struct xinetd_values *values,
				 size_t count)
{
	if (!(rule->place & place))
		return place == DEFAULTS ? "has no default" : "belongs into the defaults";
	if (rule->values != LIST && how != XINETD_SET)
		return "takes no += and -=";
	if (rule->values != LIST && values->file)
		return "is set already";
	if (rule->values > 0 && count != (size_t)rule->values)
		return rule->values == 1 ? "takes one value" : "takes two values";
	return NULL;
}

static bool holds_networks(const struct rule *rule)
{
	return rule == &rules[XINETD_ONLY_FROM] || rule == &rules[XINETD_NO_ACCESS];
}

/* Appends the words of a list, networks in the form in which they can be compared. */
static int translate(const struct rule *rule, const struct words *words, struct words *ret)
{
	int error = 0;

	if (!holds_networks(rule))
		return words_append(ret, words);
	for (size_t i = 0; error == 0 && i < words->count; i++) {
		error = networks_add(ret, words->items[i]);
		if (error == -EINVAL)
			error = words_add(ret, words->items[i]);
	}
	return error;
}

static int change(const struct rule *rule, enum xinetd_assignment how, const struct words *words,
		  struct words *ret)
{
	struct words translated = {0};
	int error = translate(rule, words, &translated);

	if (how == XINETD_SET)
		words_done(ret);
	if (error == 0 && how != XINETD_REMOVE)
		error = words_append(ret, &translated);
	for (size_t i = 0; error == 0 && how == XINETD_REMOVE && i < translated.count; i++)
		words_remove(ret, translated.items[i]);
	words_done(&translated);
	return error;
}

int xinetd_entry_assign(struct xinetd_entry *entry, const struct xinetd_entry *defaults,
			const char *name, enum xinetd_assignment how, const struct words *words,
			const struct xinetd_place *place)
{
	enum xinetd_attribute attribute = find_attribute(name);
	enum place here = defaults ? SERVICE : DEFAULTS;
	const struct rule *rule = &rules[attribute];
	struct xinetd_values *values;
	const char *obstacle;
	int error = 0;

	if (attribute == XINETD_ATTRIBUTES)
		return ignore_unknown(place, name);
	values = &entry->values[attribute];
	obstacle = find_obstacle(rule, here, how, values, words->count);
	if (obstacle)
		return ignore(place, name, obstacle);
	/* In the defaults a list grows with each line. */
	if (here == DEFAULTS && rule->values == LIST && how == XINETD_SET)
		how = XINETD_ADD;
	if (here == SERVICE && !values->file && how != XINETD_SET)
		error = words_append(&values->words, &defaults->values[attribute].words);
	if (error == 0)
		error = change(rule, how, words, &values->words);
	values->file = place->file;
	values->line = place->line;
	return error;
}
