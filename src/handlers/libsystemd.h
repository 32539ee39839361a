/* libsystemd.h - libsystemd, which is loaded by the first who needs it: it brings half a
 * dozen other libraries along, and most of adoptd's starts need none of them */
#ifndef HANDLERS_LIBSYSTEMD_H
#define HANDLERS_LIBSYSTEMD_H

#include "support/library.h"

#include <systemd/sd-bus.h>
#include <systemd/sd-login.h>

/* What is used of it. */
#define LIBSYSTEMD_FUNCTIONS(DO)                                                                   \
	DO(sd_bus_call_method_async)                                                               \
	DO(sd_bus_close_unref)                                                                     \
	DO(sd_bus_get_events)                                                                      \
	DO(sd_bus_get_fd)                                                                          \
	DO(sd_bus_get_timeout)                                                                     \
	DO(sd_bus_message_get_error)                                                               \
	DO(sd_bus_new)                                                                             \
	DO(sd_bus_open_system)                                                                     \
	DO(sd_bus_open_user)                                                                       \
	DO(sd_bus_process)                                                                         \
	DO(sd_bus_set_address)                                                                     \
	DO(sd_bus_start)                                                                           \
	DO(sd_bus_unref)                                                                           \
	DO(sd_pid_get_user_unit)

/* Its functions, each with its own type. */
struct libsystemd {
	LIBSYSTEMD_FUNCTIONS(LIBRARY_MEMBER)
};

/*
 * Loads it, unless that has been done; from any thread.
 * ret: for good.
 * Returns what library_load_once() does.
 */
int libsystemd_load(const struct libsystemd **ret);

#endif
