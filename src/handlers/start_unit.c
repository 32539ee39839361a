/* On sd-bus, whose connection lives in our loop, and only while clients are there. */
#include "start_unit.h"

#include "libsystemd.h"
#include "support/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A unit that was asked for and has not answered since is not asked for again before: it
 * may take its time. */
#define AGAIN_MS 10000

/* sd_bus_get_timeout(3): no timeout, and one that is over. */
#define NEVER UINT64_MAX

struct start_unit {
	struct adopt_watcher watcher;
	const struct libsystemd *systemd;
	struct adopt_reactor *reactor;
	const char *unit;
	struct start_unit_memory *memory;
	struct adopt_timer *timer;
	sd_bus *bus;   /* while an answer is awaited */
	bool answered; /* it is there */
};

const char *start_unit_judge(const char *unit)
{
	static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789:-_.\\@";
	const char *dot = strrchr(unit, '.');

	if (!dot || dot == unit || dot[1] == '\0' || strlen(unit) > 255 ||
	    unit[strspn(unit, characters)] != '\0')
		return "not the name of a unit, such as web.service";
	/* sd_booted(3) */
	if (access("/run/systemd/system/", F_OK) < 0)
		return "systemd does not run here, and so cannot start it";
	return NULL;
}

int start_unit_prepare(void)
{
	const struct libsystemd *systemd;

	return libsystemd_load(&systemd);
}

void start_unit_stop(struct start_unit *start)
{
	if (!start->bus)
		return;
	adopt_reader_remove(start->reactor, &start->watcher);
	adopt_writer_remove(start->reactor, &start->watcher);
	adopt_timer_free(&start->timer);
	start->bus = start->systemd->sd_bus_close_unref(start->bus);
	if (!start->answered)
		atomic_store(&start->memory->asked_ms, 0);
}

static void give_up(struct start_unit *start, const char *why)
{
	log_warning("proxy: %s cannot be started: %s", start->unit, why);
	start->answered = true;
	start_unit_stop(start);
}

/* sd_bus_get_timeout() tells a time of CLOCK_MONOTONIC in microseconds. */
static void await_timeout(struct start_unit *start)
{
	uint64_t until_us;
	struct timespec now;
	uint64_t now_us;

	if (start->systemd->sd_bus_get_timeout(start->bus, &until_us) < 0 || until_us == NEVER) {
		adopt_timer_stop(start->timer);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	now_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	adopt_timer_start(start->timer, until_us > now_us ? (until_us - now_us) / 1000 + 1 : 0);
}

static int watch(struct start_unit *start)
{
	int events = start->systemd->sd_bus_get_events(start->bus), error = 0;

	start->watcher.fd = start->systemd->sd_bus_get_fd(start->bus);
	if (events < 0 || start->watcher.fd < 0)
		return -ENOTCONN;
	if (events & POLLIN)
		error = adopt_reader_add(start->reactor, &start->watcher);
	else
		adopt_reader_remove(start->reactor, &start->watcher);
	if (error == 0 && (events & POLLOUT))
		error = adopt_writer_add(start->reactor, &start->watcher);
	else
		adopt_writer_remove(start->reactor, &start->watcher);
	await_timeout(start);
	return error;
}

/* Does what there is to do, the answer's callback included. */
static void process(struct start_unit *start)
{
	int did;

	do
		did = start->systemd->sd_bus_process(start->bus, NULL);
	while (did > 0 && !start->answered);
	if (start->answered)
		start_unit_stop(start);
	else if (did < 0)
		give_up(start, strerror(-did));
	else if (watch(start) < 0)
		give_up(start, "its bus cannot be watched");
}

static void ready(struct adopt_watcher *watcher)
{
	process((struct start_unit *)watcher);
}

static const struct adopt_watcher_ops watcher_ops = {.readable = ready, .writable = ready};

static void elapsed(void *context)
{
	process(context);
}

static int answered(sd_bus_message *answer, void *context, sd_bus_error *ignored)
{
	struct start_unit *start = context;
	const sd_bus_error *error = start->systemd->sd_bus_message_get_error(answer);

	(void)ignored;
	start->answered = true;
	if (error)
		log_warning("proxy: %s cannot be started: %s", start->unit,
			    error->message ? error->message : error->name);
	else
		log_info("proxy: %s is being started", start->unit);
	return 0;
}

static int open_address(const struct libsystemd *systemd, const char *address, sd_bus **ret)
{
	sd_bus *bus = NULL;
	int error = systemd->sd_bus_new(&bus);

	if (error >= 0)
		error = systemd->sd_bus_set_address(bus, address);
	if (error >= 0)
		error = systemd->sd_bus_start(bus);
	if (error < 0) {
		systemd->sd_bus_unref(bus);
		return error;
	}
	*ret = bus;
	return 0;
}

/* Why neither way did: what the direct one failed at, unless there is none. */
static int choose_error(int direct, int bus)
{
	return bus < 0 && direct != -ENOENT && direct != -ECONNREFUSED ? direct : bus;
}

static int open_user_manager(const struct libsystemd *systemd, sd_bus **ret)
{
	const char *directory = getenv("XDG_RUNTIME_DIR");
	char address[PATH_MAX];
	int direct = -ENOENT;

	if (directory && (size_t)snprintf(address, sizeof address, "unix:path=%s/systemd/private",
					  directory) < sizeof address)
		direct = open_address(systemd, address, ret);
	return direct == 0 ? 0 : choose_error(direct, systemd->sd_bus_open_user(ret));
}

/* Each manager listens for its own user at a place that needs no bus daemon, as systemctl
 * knows it. */
static int open_bus(const struct libsystemd *systemd, sd_bus **ret)
{
	char *unit = NULL;
	int direct = -ENOENT;

	if (systemd->sd_pid_get_user_unit(0, &unit) >= 0) {
		free(unit);
		return open_user_manager(systemd, ret);
	}
	if (geteuid() == 0)
		direct = open_address(systemd, "unix:path=/run/systemd/private", ret);
	return direct == 0 ? 0 : choose_error(direct, systemd->sd_bus_open_system(ret));
}

static int send_question(struct start_unit *start)
{
	int error = open_bus(start->systemd, &start->bus);

	if (error < 0)
		return error;
	start->watcher.fd = -1;
	error = start->systemd->sd_bus_call_method_async(
		start->bus, NULL, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
		"org.freedesktop.systemd1.Manager", "StartUnit", answered, start, "ss", start->unit,
		"replace");
	if (error >= 0)
		error = adopt_timer_new(start->reactor, elapsed, start, &start->timer);
	if (error >= 0)
		error = watch(start);
	return error;
}

/* Asks, if nobody else has since it was asked for at `asked_ms`. */
static void ask(struct start_unit *start, uint64_t asked_ms)
{
	int error;

	if (start->bus || !atomic_compare_exchange_strong(&start->memory->asked_ms, &asked_ms,
							  adopt_reactor_now_ms(start->reactor)))
		return;
	start->answered = false;
	error = send_question(start);
	if (error < 0)
		give_up(start, strerror(-error));
}

void start_unit_needed(struct start_unit *start)
{
	ask(start, 0);
}

void start_unit_served(struct start_unit *start)
{
	atomic_store(&start->memory->served, true);
}

void start_unit_missed(struct start_unit *start)
{
	uint64_t asked_ms = atomic_load(&start->memory->asked_ms);
	bool had_served = atomic_exchange(&start->memory->served, false);

	if (had_served || adopt_reactor_now_ms(start->reactor) >= asked_ms + AGAIN_MS)
		ask(start, asked_ms);
}

int start_unit_new(struct adopt_reactor *reactor, const char *unit,
		   struct start_unit_memory *memory, struct start_unit **ret)
{
	struct start_unit *start = calloc(1, sizeof *start);
	int error = start ? libsystemd_load(&start->systemd) : -ENOMEM;

	if (error < 0) {
		free(start);
		return error;
	}
	start->watcher.ops = &watcher_ops;
	start->reactor = reactor;
	start->unit = unit;
	start->memory = memory;
	*ret = start;
	return 0;
}

void start_unit_free(struct start_unit **start)
{
	if (*start)
		start_unit_stop(*start);
	free(*start);
	*start = NULL;
}
