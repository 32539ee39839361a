#include "notify.h"

#ifdef HAVE_SYSTEMD
#include <inttypes.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <time.h>

/* What a drain takes beyond its time, until the process is gone. */
#define DRAIN_MARGIN_MS 10000

bool notify_wanted(void)
{
	return getenv("NOTIFY_SOCKET") != NULL;
}

void notify_ready(const char *status)
{
	sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

/* sd_notify(3): with Type=notify-reload the time tells which reload is meant. */
void notify_reloading(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=Reloading",
		   (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void notify_draining(uint64_t timeout_ms)
{
	sd_notifyf(0, "STOPPING=1\nSTATUS=Draining\nEXTEND_TIMEOUT_USEC=%" PRIu64,
		   (timeout_ms + DRAIN_MARGIN_MS) * 1000);
}

void notify_stopping(const char *status)
{
	sd_notifyf(0, "STOPPING=1\nSTATUS=%s", status);
}

void notify_status(const char *status)
{
	sd_notifyf(0, "STATUS=%s", status);
}

uint64_t notify_watchdog_interval_ms(void)
{
	uint64_t interval_us = 0;

	return sd_watchdog_enabled(0, &interval_us) > 0 ? interval_us / 1000 : 0;
}

void notify_watchdog(void)
{
	sd_notify(0, "WATCHDOG=1");
}

#else

bool notify_wanted(void)
{
	return false;
}

void notify_ready(const char *status)
{
	(void)status;
}

void notify_reloading(void)
{
}

void notify_draining(uint64_t timeout_ms)
{
	(void)timeout_ms;
}

void notify_stopping(const char *status)
{
	(void)status;
}

void notify_status(const char *status)
{
	(void)status;
}

uint64_t notify_watchdog_interval_ms(void)
{
	return 0;
}

void notify_watchdog(void)
{
}

#endif
