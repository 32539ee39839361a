/* memory_proxy.h - a proxy for streams on the memory reactor */
#ifndef UNIT_MEMORY_PROXY_H
#define UNIT_MEMORY_PROXY_H

#include "handlers/proxy.h"

extern struct adopt_reactor *reactor;
extern struct host host;
extern struct proxy_settings settings;
extern struct adopt_factory *factory;

/*
 * Makes it, with these settings: it tries again after 100 ms, for a second.
 * upstreams: how many of 192.0.2.10:80 and unix:/run/second.
 */
void memory_proxy_start(size_t upstreams);

/* Makes another factory in place of that one, where the settings have changed. */
void memory_proxy_again(void);

/* Ends it; nothing may be in hand. */
void memory_proxy_stop(void);

/* Connects a client to it. */
struct adopt_transport *client(void);

#endif
