#include "notify.h"

#include "notify_socket.h"
#include "support/value.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What a drain takes beyond its time, until the process is gone. */
#define DRAIN_MARGIN_MS 10000

/* The longest status, and a variable or two besides. */
#define TEXT_BYTES 1024

static atomic_bool silenced;

bool notify_wanted(void)
{
	return !atomic_load(&silenced) && getenv("NOTIFY_SOCKET") != NULL;
}

void notify_silence(bool silent)
{
	atomic_store(&silenced, silent);
}

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void tell(const char *format, ...)
{
	char text[TEXT_BYTES];
	va_list args;

	if (!notify_wanted())
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	notify_socket_send(text, -1);
}

void notify_ready(const char *status)
{
	tell("READY=1\nSTATUS=%s", status);
}

/* sd_notify(3): with Type=notify-reload the time tells which reload is meant. */
void notify_reloading(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	tell("RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=Reloading",
	     (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void notify_draining(uint64_t timeout_ms)
{
	tell("STOPPING=1\nSTATUS=Draining\nEXTEND_TIMEOUT_USEC=%" PRIu64,
	     (timeout_ms + DRAIN_MARGIN_MS) * 1000);
}

void notify_stopping(const char *status)
{
	tell("STOPPING=1\nSTATUS=%s", status);
}

void notify_main_pid(int64_t pid, const char *status)
{
	tell("MAINPID=%" PRId64 "\nREADY=1\nSTATUS=%s", pid, status);
}

/* FDPOLL=0: an error that a datagram socket has met would end its being kept. */
bool notify_store(int fd, const char *name)
{
	char text[TEXT_BYTES];

	if (!notify_wanted())
		return false;
	snprintf(text, sizeof text, "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	return notify_socket_send(text, fd) == 0;
}

/* systemd.service(5): FDSTORE is set since version 254. */
size_t notify_store_room(void)
{
	const char *room = getenv("FDSTORE");

	return room ? (size_t)strtoul(room, NULL, 10) : SIZE_MAX;
}

void notify_store_remove(const char *name)
{
	tell("FDSTOREREMOVE=1\nFDNAME=%s", name);
}

void notify_status(const char *status)
{
	tell("STATUS=%s", status);
}

/* A pid that is not ours: the variables were meant for another process. */
uint64_t notify_watchdog_interval_ms(void)
{
	const char *interval = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint64_t interval_us, meant;

	if (!interval || value_number(interval, 1, UINT64_MAX - 1, &interval_us) < 0)
		return 0;
	if (pid && (value_number(pid, 1, INT_MAX, &meant) < 0 || meant != (uint64_t)getpid()))
		return 0;
	return interval_us / 1000;
}

void notify_watchdog(void)
{
	tell("WATCHDOG=1");
}
