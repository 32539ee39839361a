/* exec_environment.h - the environment of a process: a few named variables, and no other */
#ifndef HANDLERS_EXEC_ENVIRONMENT_H
#define HANDLERS_EXEC_ENVIRONMENT_H

#include "adopt/adopt.h"

#include <stdbool.h>

/* The PATH of a process, unless its block says otherwise. */
#define EXEC_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/*
 * Judges an entry of `environment`: NAME=VALUE, NAME of letters, digits and _, not one that
 * adoptd sets by itself.
 * Returns what is wrong with it, or NULL.
 */
const char *exec_environment_judge(const char *entry);

/* Tells whether two entries set the same variable. */
bool exec_environment_same(const char *entry, const char *other);

/*
 * Makes the environment of one process.
 * block: what is the same for all; its strings outlive the environment.
 * count: how many these are.
 * local, peer: the connection's, to tell the process who and whom: PROTO (TCP, UNIX or
 * VSOCK, after the peer, or else after the socket), REMOTE_ADDR and REMOTE_PORT; and for
 * those of IPv4 and IPv6 TCPREMOTEIP, TCPREMOTEPORT, TCPLOCALIP and TCPLOCALPORT. NULL where
 * there is none. What is not known is left out.
 * announced: variables that announce a socket, ended by NULL; they outlive the environment.
 * ret: ended by NULL; one block of memory, to be freed.
 * Returns 0 or -ENOMEM.
 */
int exec_environment_new(char *const *block, size_t count, const struct adopt_address *local,
			 const struct adopt_address *peer, char *const *announced, char ***ret);

#endif
