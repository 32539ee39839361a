/* notify.h - what the supervisor is told: sd_notify(3), where it asks for it */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Each does nothing where nobody listens. A supervisor without such a call
 * (launchd, inetd) needs none. */

/* Tells whether anybody listens. */
bool notify_wanted(void);

/* All ports accept: at the start, and after notify_reloading(). status: one line for
 * people, as `systemctl status` shows it. */
void notify_ready(const char *status);

/* The configuration is read again. */
void notify_reloading(void);

/* The daemon ends, and may take so long. */
void notify_draining(uint64_t timeout_ms);

/* The daemon ends. */
void notify_stopping(const char *status);

/* What it is doing changed, or why it cannot start. */
void notify_status(const char *status);

/* Returns how often the supervisor wants to hear that the daemon is alive, 0 for never;
 * and tells it so. (sd_watchdog_enabled(3)) */
uint64_t notify_watchdog_interval_ms(void);
void notify_watchdog(void);

#endif
