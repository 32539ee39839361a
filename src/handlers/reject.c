/* reject { message = "..." }: closes, after the message if there is one. */
#include "oneshot.h"
#include "support/option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reject_settings {
	struct oneshot_settings base;
	size_t length;
	char message[ONESHOT_BYTES];
};

static const cfg_opt_t options[] = {CFG_STR("message", NULL, CFGF_NONE), CFG_END()};

static size_t say(const struct oneshot_settings *base, char *text)
{
	const struct reject_settings *settings = (const struct reject_settings *)base;

	memcpy(text, settings->message, settings->length);
	return settings->length;
}

static int settings_new(cfg_t *section, struct faults *faults, struct handler_settings **ret)
{
	const char *message = cfg_getstr(section, "message");
	size_t length = message ? strlen(message) : 0;
	struct reject_settings *settings;

	if (length > ONESHOT_BYTES) {
		option_fault(section, "message", faults,
			     "a message of %zu bytes is too long: it may have %d", length,
			     ONESHOT_BYTES);
		return -EINVAL;
	}
	settings = calloc(1, sizeof *settings);
	if (!settings)
		return -ENOMEM;
	settings->base.base.handler = &handler_reject;
	settings->base.say = say;
	settings->length = length;
	if (length > 0)
		memcpy(settings->message, message, length);
	*ret = &settings->base.base;
	return 0;
}

const struct handler handler_reject = {
	.name = "reject",
	.options = options,
	.settings_new = settings_new,
	.settings_free = service_settings_free,
	.stream_new = oneshot_stream_new,
	.stream_free = service_stream_free,
	.datagram_new = oneshot_datagram_new,
	.datagram_free = service_datagram_free,
};
