/* notify_socket.h - the datagrams of sd_notify(3)
 *
 * Spoken here and not by libsystemd for the reason that activation/systemd.c has. */
#ifndef DAEMON_NOTIFY_SOCKET_H
#define DAEMON_NOTIFY_SOCKET_H

/*
 * Opens the socket that datagrams are sent from, and keeps it: from then on none is opened
 * for that, which a sandbox may not allow. Harmless where NOTIFY_SOCKET is not set, or twice.
 * Returns 0 or a negative errno from socket(2).
 */
int notify_socket_keep(void);

/*
 * Sends a datagram to the UNIX socket that NOTIFY_SOCKET names, by its path or, after `@`,
 * in the abstract namespace. Waits where there is no room for it, if not forever.
 * text: lines of VARIABLE=VALUE.
 * fd: goes along with it, -1 for none; stays the caller's.
 * Returns 0; -ENOENT where the variable is not set; -EAFNOSUPPORT where it is of another
 * kind; -ENAMETOOLONG; -ETIMEDOUT; a negative errno from socket(2) or sendmsg(2).
 */
int notify_socket_send(const char *text, int fd);

#endif
