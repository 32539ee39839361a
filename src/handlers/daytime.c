/* daytime.c - tells the time in words (RFC 867) */
#include "clock.h"
#include "oneshot.h"

#include <stdio.h>

/* strftime() would use the locale's names. */
static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
				   "Thursday", "Friday", "Saturday"};
static const char *const months[] = {"January",   "February", "March",    "April",
				     "May",       "June",     "July",     "August",
				     "September", "October",  "November", "December"};

size_t daytime_format(time_t now, char *text, size_t size)
{
	struct tm utc;
	int length;

	if (!gmtime_r(&now, &utc))
		return 0;
	length = snprintf(text, size, "%s, %s %d, %lld %02d:%02d:%02d-UTC\r\n", days[utc.tm_wday],
			  months[utc.tm_mon], utc.tm_mday, utc.tm_year + 1900LL, utc.tm_hour,
			  utc.tm_min, utc.tm_sec);
	return length > 0 && (size_t)length < size ? (size_t)length : 0;
}

static size_t say(const struct oneshot_settings *settings, char *text)
{
	(void)settings;
	return daytime_format(time(NULL), text, ONESHOT_BYTES);
}

static int settings_new(cfg_t *section, struct faults *faults, struct handler_settings **ret)
{
	(void)section;
	(void)faults;
	return oneshot_settings_new(&handler_daytime, say, ret);
}

const struct handler handler_daytime = {
	.name = "daytime",
	.options = service_no_options,
	.settings_new = settings_new,
	.settings_free = service_settings_free,
	.stream_new = oneshot_stream_new,
	.stream_free = service_stream_free,
	.datagram_new = oneshot_datagram_new,
	.datagram_free = service_datagram_free,
};
