/* libcares.h - c-ares, which is loaded by the first who needs it: most starts look nothing
 * up */
#ifndef SUPPORT_LIBCARES_H
#define SUPPORT_LIBCARES_H

#include "library.h"

#include <ares.h>

/* What is used of it. */
#define LIBCARES_FUNCTIONS(DO)                                                                     \
	DO(ares_destroy)                                                                           \
	DO(ares_free_data)                                                                         \
	DO(ares_freeaddrinfo)                                                                      \
	DO(ares_getaddrinfo)                                                                       \
	DO(ares_init_options)                                                                      \
	DO(ares_parse_srv_reply)                                                                   \
	DO(ares_process_fd)                                                                        \
	DO(ares_search)                                                                            \
	DO(ares_set_servers_ports_csv)                                                             \
	DO(ares_timeout)

/* Its functions, each with its own type. */
struct libcares {
	LIBCARES_FUNCTIONS(LIBRARY_MEMBER)
};

/*
 * Loads it, unless that has been done; from any thread.
 * ret: for good.
 * Returns what library_load_once() does.
 */
int libcares_load(const struct libcares **ret);

#endif
