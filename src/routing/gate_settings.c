#include "gate_settings.h"

#include "rate.h"
#include "support/option.h"
#include "support/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* More than any system has descriptors for. */
#define MAX_CONNECTIONS_LIMIT 1000000000

const cfg_opt_t gate_options[] = {
	CFG_STR_LIST("allow", NULL, CFGF_NONE),
	CFG_STR_LIST("deny", NULL, CFGF_NONE),
	CFG_STR("max-connections", "0", CFGF_NONE),
	CFG_STR("max-connections-per-source", "0", CFGF_NONE),
	CFG_STR("rate-per-source", "0", CFGF_NONE),
	CFG_END(),
};

static int read_networks(cfg_t *section, const char *name, struct faults *faults,
			 struct network **ret, size_t *ret_count)
{
	size_t count = cfg_size(section, name);
	struct network *networks;
	char problem[NETWORK_PROBLEM_SIZE];
	int error = 0;

	if (count == 0)
		return 0;
	networks = calloc(count, sizeof *networks);
	if (!networks)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const char *text = cfg_getnstr(section, name, (unsigned)i);

		if (network_parse(text, &networks[i], problem) == 0)
			continue;
		option_fault(section, name, faults, "\"%s\" %s", text, problem);
		error = -EINVAL;
	}
	if (error < 0) {
		free(networks);
		return error;
	}
	*ret = networks;
	*ret_count = count;
	return 0;
}

/* Reads `10/s`. Returns 0, -EINVAL or -ERANGE. */
static int parse_rate(const char *text, uint64_t *ret_count, uint64_t *ret_ms)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = {{"/s", 1000}, {"/m", 60 * 1000}, {"/h", 60 * 60 * 1000}};
	char digits[32];
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : sizeof digits;

	if (length >= sizeof digits)
		return -EINVAL;
	memcpy(digits, text, length);
	digits[length] = '\0';
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		int error;

		if (strcmp(slash, units[i].name) != 0)
			continue;
		error = value_number(digits, 1, RATE_MAX_COUNT, ret_count);
		if (error == 0)
			*ret_ms = units[i].ms;
		return error;
	}
	return -EINVAL;
}

static int read_rate(cfg_t *section, struct faults *faults, struct gate_settings *settings)
{
	static const char name[] = "rate-per-source";
	const char *text = cfg_getstr(section, name);
	int error;

	if (strcmp(text, "0") == 0)
		return 0;
	error = parse_rate(text, &settings->rate_count, &settings->rate_ms);
	if (error == -ERANGE)
		option_fault(section, name, faults,
			     "\"%s\" is out of range; it is from 1 to %d, or 0 for no limit", text,
			     RATE_MAX_COUNT);
	else if (error)
		option_fault(section, name, faults,
			     "\"%s\" is no rate; write one as 10/s, 100/m or 1000/h, or 0 for no "
			     "limit",
			     text);
	return error ? -EINVAL : 0;
}

int gate_settings_read(cfg_t *section, struct faults *faults, struct gate_settings *ret)
{
	struct gate_settings settings = {0};
	/* Each one is looked at, so that one run tells all faults. */
	int results[] = {
		read_networks(section, "allow", faults, &settings.allow, &settings.allow_count),
		read_networks(section, "deny", faults, &settings.deny, &settings.deny_count),
		option_number(section, "max-connections", 0, MAX_CONNECTIONS_LIMIT, faults,
			      &settings.max_connections),
		option_number(section, "max-connections-per-source", 0, MAX_CONNECTIONS_LIMIT,
			      faults, &settings.max_per_source),
		read_rate(section, faults, &settings),
	};

	for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
		if (results[i] < 0) {
			gate_settings_done(&settings);
			return results[i];
		}
	*ret = settings;
	return 0;
}

void gate_settings_done(struct gate_settings *settings)
{
	free(settings->allow);
	free(settings->deny);
	*settings = (struct gate_settings){0};
}

bool gate_settings_any(const struct gate_settings *settings)
{
	return settings->allow_count > 0 || settings->deny_count > 0 ||
	       settings->max_connections > 0 || settings->max_per_source > 0 ||
	       settings->rate_count > 0;
}
