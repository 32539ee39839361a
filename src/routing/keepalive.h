/* keepalive.h - probes of a TCP connection that is silent */
#ifndef ROUTING_KEEPALIVE_H
#define ROUTING_KEEPALIVE_H

#include "adopt/adopt.h"

/*
 * Has the system probe a connection's peer: tcp(7), TCP_KEEPIDLE and TCP_KEEPINTVL.
 * transport: without a descriptor, or with one of another kind, it stays as it is.
 * idle_ms: how long a silence is probed, and how often then; cut to whole seconds, upwards.
 * 0: not at all.
 */
void keepalive_set(struct adopt_transport *transport, uint64_t idle_ms);

#endif
