/* time.c - tells the time as a number (RFC 868) */
#include "clock.h"
#include "oneshot.h"

#include <arpa/inet.h>
#include <string.h>

/* From 1900 to 1970: 70 years, 17 of them leap years. */
#define SECONDS_1900_TO_1970 UINT32_C(2208988800)

uint32_t time_since_1900(time_t now)
{
	return (uint32_t)now + SECONDS_1900_TO_1970;
}

static size_t say(const struct oneshot_settings *settings, char *text)
{
	uint32_t seconds = htonl(time_since_1900(time(NULL)));

	(void)settings;
	memcpy(text, &seconds, sizeof seconds);
	return sizeof seconds;
}

static int settings_new(cfg_t *section, struct faults *faults, struct handler_settings **ret)
{
	(void)section;
	(void)faults;
	return oneshot_settings_new(&handler_time, say, ret);
}

const struct handler handler_time = {
	.name = "time",
	.options = service_no_options,
	.settings_new = settings_new,
	.settings_free = service_settings_free,
	.stream_new = oneshot_stream_new,
	.stream_free = service_stream_free,
	.datagram_new = oneshot_datagram_new,
	.datagram_free = service_datagram_free,
};
