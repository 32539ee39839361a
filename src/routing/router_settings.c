/* What a port block says of its clients' first moments. */
#include "router.h"
#include "support/option.h"

#include <errno.h>
#include <stdlib.h>

const cfg_opt_t router_options[] = {
	CFG_STR_LIST("accept-proxy", NULL, CFGF_NONE),
	CFG_STR("sniff-timeout", "3s", CFGF_NONE),
	CFG_STR("idle-timeout", "0", CFGF_NONE),
	CFG_STR("keepalive", "0", CFGF_NONE),
	CFG_END(),
};

static int read_proxies(cfg_t *section, struct faults *faults, struct router_settings *settings)
{
	unsigned count = cfg_size(section, "accept-proxy");
	int error = 0;

	if (count == 0)
		return 0;
	settings->proxies = calloc(count, sizeof *settings->proxies);
	if (!settings->proxies)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++) {
		const char *text = cfg_getnstr(section, "accept-proxy", i);
		char problem[NETWORK_PROBLEM_SIZE];

		if (network_parse(text, &settings->proxies[i], problem) < 0) {
			option_fault(section, "accept-proxy", faults, "\"%s\": %s", text, problem);
			error = -EINVAL;
		}
		settings->proxy_count++;
	}
	return error;
}

int router_settings_read(cfg_t *section, struct faults *faults, struct router_settings *ret)
{
	struct router_settings settings = {.port_name = section->title};
	/* Each is looked at, so that one run tells all faults. */
	int results[] = {
		gate_settings_read(section, faults, &settings.gate),
		read_proxies(section, faults, &settings),
		option_duration(section, "sniff-timeout", faults, &settings.sniff_timeout_ms),
		option_duration(section, "idle-timeout", faults, &settings.idle_timeout_ms),
		option_duration(section, "keepalive", faults, &settings.keepalive_ms),
	};

	for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
		if (results[i] < 0) {
			router_settings_done(&settings);
			return results[i];
		}
	*ret = settings;
	return 0;
}

void router_settings_done(struct router_settings *settings)
{
	gate_settings_done(&settings->gate);
	free(settings->proxies);
	*settings = (struct router_settings){0};
}
