#include "utc.h"

#include <stdio.h>

char *utc_format(const struct timespec *time, char text[UTC_TEXT_SIZE])
{
	struct tm parts;
	size_t length;

	gmtime_r(&time->tv_sec, &parts);
	length = strftime(text, UTC_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(text + length, UTC_TEXT_SIZE - length, ".%06ldZ", (long)time->tv_nsec / 1000);
	return text;
}
