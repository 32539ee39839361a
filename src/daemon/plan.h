/* plan.h - which port block serves which descriptor */
#ifndef DAEMON_PLAN_H
#define DAEMON_PLAN_H

#include "activation/activation.h"
#include "adopt/adopt.h"
#include "daemon/config.h"
#include "support/fault.h"
#include "support/listen.h"

/* Which of the adopt calls a descriptor is for. */
enum plan_role {
	PLAN_STREAM_PORT,
	PLAN_STREAM_CONNECTION,
	PLAN_DATAGRAM_PORT,
	PLAN_WHOLE_PORT, /* listening or for datagrams: its handler has the socket itself */
};

struct plan_entry {
	const struct config_port *port; /* the configuration's */
	int fd;                         /* the inherited list's, or that of plan->opened */
	struct adopt_socket_kind kind;
	enum plan_role role;
	const char *name;   /* it was handed over so, or the `listen` text; not the plan's */
	const char *source; /* the giver's name, `listen` for what was opened */
};

struct plan {
	struct plan_entry *entries; /* in the order of the port blocks */
	size_t count;
	struct listen_set opened;
};

/*
 * Makes the plan. Each block takes every descriptor of its name, NAME#N only the
 * N-th, which NAME then does not get, and `*` what is left. A block that gets
 * none opens its `listen` addresses.
 * config: outlives the plan.
 * list: outlives the plan, but for descriptors that were adopted as connections:
 * inherited_drop() them then, which ends their entries' name and fd. A
 * connection whose peer is gone already is dropped from it here, with a note.
 * opened: sockets of `listen` addresses that are open already, which it shares where it
 * can; NULL for none.
 * faults: what cannot be served, told with the number and the name that it was
 * handed over with.
 * ret: free with plan_free().
 * Returns 0; -EINVAL where the descriptors and the configuration do not fit;
 * where only opening a `listen` address failed, what listen_open() returns;
 * -ENOMEM. Faults were added except with -ENOMEM.
 */
int plan_make(const struct config *config, struct inherited_list *list,
	      const struct listen_set *opened, struct faults *faults, struct plan **ret);

/* Closes what the plan opened, and no other plan shares, when nothing more is to be adopted
 * from it. */
void plan_close_ports(struct plan *plan);

/* Closes what the plan opened, unlinks what it made, frees the plan and sets it
 * NULL; NULL inside is harmless. */
void plan_free(struct plan **plan);

#endif
