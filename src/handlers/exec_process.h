/*
 * exec_process.h - one process of an exec block, from its start until nothing is left of it
 *
 * It is work in hand of the host, and has one of the block's slots. One that has no
 * connection, by which it could be seen, is on the host's roll itself.
 */
#ifndef HANDLERS_EXEC_PROCESS_H
#define HANDLERS_EXEC_PROCESS_H

#include "exec.h"

struct exec_process;

/* Whether starting has failed of late: it is logged once, and once when it works again.
 * Initialize with zeros. */
struct exec_trouble {
	bool told;
};

struct exec_process_order {
	const struct exec_settings *settings;
	struct host *host;
	struct exec_trouble *trouble;      /* the starter's, kept from start to start */
	int fd;                            /* the socket, its 0 and 1; made blocking */
	const struct adopt_address *local; /* the connection's, told in its environment */
	const struct adopt_address *peer;  /* likewise; both are NULL where there is none */
	/* It has ended, and is no longer there for whoever has started it. failed: whether by
	 * a signal, or with a code other than 0. */
	void (*ended)(void *context, bool failed);
	void *context;
};

/*
 * Starts a process. Until it ends it may run for the block's `timeout`: then its process
 * group is asked to end, and killed if it does not soon.
 * order: needed during the call only; its descriptor stays the caller's.
 * ret: there until `ended`.
 * Returns 0, in which case the caller's slot is the process's; -ENOMEM; another negative errno
 * of what could not be done.
 */
int exec_process_start(const struct exec_process_order *order, struct exec_process **ret);

/* Returns its number. */
pid_t exec_process_pid(const struct exec_process *process);

/* Asks a process group to end, and has it killed if it does not soon. Harmless twice. */
void exec_process_stop(struct exec_process *process);

/* Leaves a process to itself: its starter is not told of its end. Sets it NULL; NULL inside
 * is harmless. */
void exec_process_leave(struct exec_process **process);

#endif
