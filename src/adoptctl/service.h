/*
 * service.h - what a foreign configuration has a port do, in terms of adoptd's
 *
 * The readers (inetd.h, xinetd.h) make services, and blocks.h makes port blocks of
 * these.
 */
#ifndef ADOPTCTL_SERVICE_H
#define ADOPTCTL_SERVICE_H

#include "words.h"

#include <stdint.h>

/* More than anybody has. */
#define SERVICES_MAX 1000

enum service_handler {
	SERVICE_INTERNAL, /* one of the small services */
	SERVICE_PROXY,
	SERVICE_EXEC,
};

/* All texts and lists are the service's own. */
struct service {
	char *file; /* where it is described */
	int line;
	char *name; /* what it is called there, which may be anything */
	char *id;   /* another name for it, for where the first is taken; NULL for none */

	bool datagram;
	struct words listens; /* `0.0.0.0:23`, `[::]:23`, `[::1]:23`, `/path` */
	bool v4_mapped;       /* `[::]` takes IPv4 clients, too */
	struct words socket;  /* lines for the section [Socket] of its unit: `NoDelay=yes` */
	struct words unit;    /* lines for the section [Service]: `Nice=10` */

	enum service_handler handler;
	const char *internal;     /* SERVICE_INTERNAL: the handler's name; a constant */
	char *upstream;           /* SERVICE_PROXY */
	struct words command;     /* SERVICE_EXEC, as are the following */
	char *user, *group;       /* NULL where it does not say */
	struct words environment; /* `NAME=VALUE` */
	struct words inherited;   /* the names of variables that adoptd passes on */
	bool wait;

	/* 0 where it does not say. */
	uint64_t instances;  /* how many connections or programs at a time */
	uint64_t per_source; /* how many of these one source may have */
	uint64_t per_minute; /* how many may come from one source in a minute */

	struct words allow, deny; /* networks of adoptd.conf(5) */
	bool restricted;          /* only `allow` may come, also where that is empty */
};

struct services {
	struct service *items[SERVICES_MAX];
	size_t count;
	struct words disabled; /* the names of those that were switched off there */
	bool access_log;       /* some of them logged who comes */
};

/* Makes an empty service. ret: free it with service_free(). Returns 0 or -ENOMEM. */
int service_new(const char *file, int line, const char *name, struct service **ret);

/* Frees a service and sets it NULL; NULL inside is harmless. */
void service_free(struct service **service);

/* Replaces one of a service's texts by a copy. Returns 0 or -ENOMEM. */
int service_set(char **to, const char *text);

/* Gives a service to the list and sets it NULL. Returns 0; -E2BIG past SERVICES_MAX. */
int services_add(struct services *services, struct service **service);

/* Frees what a list holds; NULL inside is harmless. */
void services_free(struct services **services);

#endif
