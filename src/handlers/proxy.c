/* proxy { upstream = {…} … }: passes clients on to another server. */
#include "proxy.h"

#include "support/library.h"
#include "support/lookup.h"
#include "support/option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SESSIONS_LIMIT 1000000

static const cfg_opt_t options[] = {
	CFG_STR_LIST("upstream", 0, CFGF_NODEFAULT),
	CFG_STR("balance", "round-robin", CFGF_NONE),
	CFG_STR("connect-timeout", "5s", CFGF_NONE),
	CFG_STR("retry-interval", "100ms", CFGF_NONE),
	CFG_STR("start-unit", NULL, CFGF_NODEFAULT),
	CFG_STR("send-proxy", "none", CFGF_NONE),
	CFG_STR("half-close-timeout", "0", CFGF_NONE),
	CFG_STR("session-timeout", "60s", CFGF_NONE),
	CFG_STR("max-sessions", "10000", CFGF_NONE),
	CFG_END(),
};

/* In the order of their enumerations. */
static const char *const balances[] = {"round-robin", "least-connections", "source-hash", NULL};
static const char *const headers[] = {"none", "v1", "v2", NULL};

static void settings_free(struct handler_settings *base)
{
	struct proxy_settings *settings = (struct proxy_settings *)base;

	if (!settings)
		return;
	free(settings->upstreams);
	health_book_close(&settings->health);
	free(settings->start_unit);
	free(settings->unit_memory);
	free(settings);
}

/* Nobody can be met at port 0, which is for those who listen. */
static bool has_no_port(const struct endpoint *endpoint)
{
	int family = adopt_address_family(&endpoint->address);

	return endpoint->kind == ENDPOINT_ADDRESS && (family == AF_INET || family == AF_INET6) &&
	       adopt_address_port(&endpoint->address) == 0;
}

static int read_upstream(cfg_t *section, const char *text, struct faults *faults,
			 struct endpoint *ret)
{
	int error = endpoint_parse(text, ret);

	if (error == 0 && has_no_port(ret))
		error = -EINVAL;
	if (error == 0 && ret->kind != ENDPOINT_ADDRESS)
		error = lookup_prepare();
	if (error == 0 || error == -ENOMEM)
		return error;
	if (error == -ENOSYS)
		option_fault(section, "upstream", faults,
			     "\"%s\": c-ares, which looks names up, cannot be loaded: %s", text,
			     library_error_text());
	else
		option_fault(
			section, "upstream", faults,
			error == -EINVAL
				? "\"%s\" is no address: write 127.0.0.1:80, [::1]:80, name:80, "
				  "srv:_name._tcp.domain, unix:/path, unix:@name or vsock:CID:PORT"
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
	settings->upstream_count = count;
	error = health_book_new(&settings->health);
	if (error < 0)
		return error;
	for (size_t i = 0; error != -ENOMEM && i < count; i++) {
		int wrong = read_upstream(section, cfg_getnstr(section, "upstream", (unsigned)i),
					  faults, &settings->upstreams[i]);

		if (wrong < 0)
			error = wrong;
	}
	return error;
}

static int read_words(cfg_t *section, struct faults *faults, struct proxy_settings *settings)
{
	size_t balance = 0, header = 0;
	int balance_error = option_word(section, "balance", balances, faults, &balance);
	int header_error = option_word(section, "send-proxy", headers, faults, &header);

	settings->balance = (enum balance)balance;
	settings->send_proxy = (enum proxy_header)header;
	return balance_error < 0 ? balance_error : header_error;
}

static int read_unit(cfg_t *section, struct faults *faults, struct proxy_settings *settings)
{
	const char *unit = cfg_getstr(section, "start-unit");
	const char *fault = unit ? start_unit_judge(unit) : NULL;
	int error;

	if (!unit)
		return 0;
	if (fault) {
		option_fault(section, "start-unit", faults, "\"%s\": %s", unit, fault);
		return -EINVAL;
	}
	error = start_unit_prepare();
	if (error == -ENOSYS) {
		option_fault(section, "start-unit", faults,
			     "\"%s\": libsystemd, which asks systemd, cannot be loaded: %s", unit,
			     library_error_text());
		return -EINVAL;
	}
	if (error < 0)
		return error;
	settings->start_unit = strdup(unit);
	settings->unit_memory = calloc(1, sizeof *settings->unit_memory);
	return settings->start_unit && settings->unit_memory ? 0 : -ENOMEM;
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

	if (!settings)
		return -ENOMEM;
	settings->base.handler = &handler_proxy;
	int results[] = {
		read_upstreams(section, faults, settings),
		read_words(section, faults, settings),
		read_unit(section, faults, settings),
		read_numbers(section, faults, settings),
	};
	for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
		if (results[i] < 0) {
			settings_free(&settings->base);
			return results[i];
		}
	*ret = &settings->base;
	return 0;
}

static const char *misfit(const struct handler_settings *base, int type)
{
	const struct proxy_settings *settings = (const struct proxy_settings *)base;

	return type == SOCK_DGRAM && settings->send_proxy == PROXY_HEADER_V1
		       ? "cannot send PROXY headers of version 1 in datagrams: v2 can"
		       : NULL;
}

int proxy_upstreams_new(const struct proxy_settings *settings, struct adopt_reactor *reactor,
			int type, struct upstreams **ret)
{
	const struct upstreams_settings wanted = {
		.endpoints = settings->upstreams,
		.count = settings->upstream_count,
		.balance = settings->balance,
		.type = type,
		.health = settings->health,
	};

	return upstreams_new(reactor, &wanted, ret);
}

/* --- for who lists upstreams --- */

struct telling {
	void (*tell)(void *context, const struct handler_upstream *upstream);
	void *context;
	const struct proxy_settings *settings;
	bool *found; /* of each of the settings' upstreams: its name has an address */
};

static void note_name(struct telling *telling, const char *name)
{
	for (size_t i = 0; i < telling->settings->upstream_count; i++)
		if (name == telling->settings->upstreams[i].name)
			telling->found[i] = true;
}

static void tell_known(void *context, const struct health *health)
{
	struct telling *telling = context;
	const struct handler_upstream upstream = {
		.kind = health->type == SOCK_DGRAM ? "datagram" : "stream",
		.name = health->name,
		.address = health->text,
		.connections = atomic_load(&health->active),
		.failed = atomic_load(&health->failures) > 0,
		.failed_ms = atomic_load(&health->failed_ms),
		.retry_ms = atomic_load(&health->retry_at_ms),
	};

	note_name(telling, health->name);
	telling->tell(telling->context, &upstream);
}

static void tell_upstreams(const struct handler_settings *base,
			   void (*tell)(void *context, const struct handler_upstream *upstream),
			   void *context)
{
	const struct proxy_settings *settings = (const struct proxy_settings *)base;
	struct telling telling = {
		.tell = tell,
		.context = context,
		.settings = settings,
		.found = calloc(settings->upstream_count, sizeof *telling.found),
	};

	if (!telling.found)
		return;
	health_each(settings->health, tell_known, &telling);
	for (size_t i = 0; i < settings->upstream_count; i++)
		if (settings->upstreams[i].kind != ENDPOINT_ADDRESS && !telling.found[i])
			tell(context,
			     &(struct handler_upstream){.name = settings->upstreams[i].name});
	free(telling.found);
}

const struct handler handler_proxy = {
	.name = "proxy",
	.needs = CONFINE_CONNECT,
	.descriptors = 2,
	.options = options,
	.settings_new = settings_new,
	.settings_free = settings_free,
	.misfit = misfit,
	.stream_new = proxy_stream_new,
	.stream_free = proxy_stream_free,
	.datagram_new = proxy_datagram_new,
	.datagram_free = proxy_datagram_free,
	.datagram_drain = proxy_datagram_drain,
	.datagram_known = proxy_datagram_known,
	.upstreams = tell_upstreams,
};
