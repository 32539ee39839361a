/* notify.h - what the supervisor is told: sd_notify(3), where it asks for it */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each does nothing where nobody listens. A supervisor without such a call
 * (launchd, inetd) needs none. */

/* Tells whether anybody listens. In any thread. */
bool notify_wanted(void);

/* Says whether nothing is told at all, whoever listens: another process speaks for the
 * service. In any thread. */
void notify_silence(bool silent);

/* All ports accept: at the start, and after notify_reloading(). status: one line for
 * people, as `systemctl status` shows it. */
void notify_ready(const char *status);

/* The configuration is read again. */
void notify_reloading(void);

/* The daemon ends, and may take so long. */
void notify_draining(uint64_t timeout_ms);

/* The daemon ends. */
void notify_stopping(const char *status);

/* Another process is the service from now on; all ports accept. */
void notify_main_pid(int64_t pid, const char *status);

/*
 * Has the supervisor keep a copy of a descriptor, and give it to the next start of the
 * service under this name. One that it keeps already is kept once.
 * name: printable ASCII without `:`, at most 255 bytes.
 * Returns whether that was asked for; it may have no room.
 */
bool notify_store(int fd, const char *name);

/* Returns how many descriptors the supervisor has room for; SIZE_MAX where it does not say. */
size_t notify_store_room(void);

/* Has the supervisor keep it no more. */
void notify_store_remove(const char *name);

/* What it is doing changed, or why it cannot start. */
void notify_status(const char *status);

/* Returns how often the supervisor wants to hear that the daemon is alive, 0 for never;
 * and tells it so. (sd_watchdog_enabled(3)) */
uint64_t notify_watchdog_interval_ms(void);
void notify_watchdog(void);

#endif
