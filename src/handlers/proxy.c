/* proxy { upstream = {…} … }: passes clients on to another server. */
#include "proxy.h"

#include "support/endpoint.h"
#include "support/option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SESSIONS_LIMIT 1000000

static const cfg_opt_t options[] = {
	CFG_STR_LIST("upstream", 0, CFGF_NODEFAULT),
	CFG_STR("connect-timeout", "5s", CFGF_NONE),
	CFG_STR("retry-interval", "100ms", CFGF_NONE),
	CFG_STR("half-close-timeout", "0", CFGF_NONE),
	CFG_STR("session-timeout", "60s", CFGF_NONE),
	CFG_STR("max-sessions", "10000", CFGF_NONE),
	CFG_END(),
};

static const char *const unsupported[] = {"balance", "start-unit", "send-proxy", NULL};

static void settings_free(struct handler_settings *base)
{
	struct proxy_settings *settings = (struct proxy_settings *)base;

	if (!settings)
		return;
	for (size_t i = 0; i < settings->upstream_count; i++)
		free(settings->upstreams[i]);
	free(settings->upstreams);
	free(settings);
}

static int check_upstream(cfg_t *section, const char *text, struct faults *faults)
{
	int error = endpoint_check(text);

	if (error == 0)
		return 0;
	option_fault(section, "upstream", faults,
		     error == -EINVAL
			     ? "\"%s\" is no address: write 127.0.0.1:80, [::1]:80, name:80, "
			       "unix:/path, unix:@name or vsock:CID:PORT"
			     : "\"%s\": %s",
		     text, strerror(-error));
	return -EINVAL;
}

static int read_upstreams(cfg_t *section, struct faults *faults, struct proxy_settings *settings)
{
	size_t count = cfg_size(section, "upstream");
	int error = 0;

	if (count == 0) {
		option_fault(section, "upstream", faults,
			     "a proxy needs one: upstream = {\"127.0.0.1:8080\"}");
		return -EINVAL;
	}
	settings->upstreams = calloc(count, sizeof *settings->upstreams);
	if (!settings->upstreams)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const char *text = cfg_getnstr(section, "upstream", (unsigned)i);

		if (check_upstream(section, text, faults) < 0)
			error = -EINVAL;
		settings->upstreams[i] = strdup(text);
		if (!settings->upstreams[i])
			return -ENOMEM;
		settings->upstream_count++;
	}
	return error;
}

/* Each one is looked at, so that one run tells all faults. */
static int read_numbers(cfg_t *section, struct faults *faults, struct proxy_settings *settings)
{
	int results[] = {
		option_duration(section, "connect-timeout", faults, &settings->connect_timeout_ms),
		option_duration(section, "retry-interval", faults, &settings->retry_interval_ms),
		option_duration(section, "half-close-timeout", faults,
				&settings->half_close_timeout_ms),
		option_duration(section, "session-timeout", faults, &settings->session_timeout_ms),
		option_number(section, "max-sessions", 1, MAX_SESSIONS_LIMIT, faults,
			      &settings->max_sessions),
	};

	for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
		if (results[i] < 0)
			return results[i];
	return 0;
}

static int settings_new(cfg_t *section, struct faults *faults, struct handler_settings **ret)
{
	struct proxy_settings *settings = calloc(1, sizeof *settings);
	int error, numbers;

	if (!settings)
		return -ENOMEM;
	settings->base.handler = &handler_proxy;
	error = read_upstreams(section, faults, settings);
	numbers = read_numbers(section, faults, settings);
	if (error == 0)
		error = numbers;
	if (error < 0) {
		settings_free(&settings->base);
		return error;
	}
	*ret = &settings->base;
	return 0;
}

const struct handler handler_proxy = {
	.name = "proxy",
	.options = options,
	.unsupported = unsupported,
	.settings_new = settings_new,
	.settings_free = settings_free,
	.stream_new = proxy_stream_new,
	.stream_free = proxy_stream_free,
	.datagram_new = proxy_datagram_new,
	.datagram_free = proxy_datagram_free,
};
