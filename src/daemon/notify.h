/* notify.h - what the supervisor is told: sd_notify(3), where it asks for it */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

/* Each does nothing where nobody listens. A supervisor without such a call
 * (launchd, inetd) needs none. */

/* All ports accept. status: one line for people, as `systemctl status` shows it. */
void notify_ready(const char *status);

/* The daemon ends. */
void notify_stopping(const char *status);

/* What it is doing changed, or why it cannot start. */
void notify_status(const char *status);

#endif
