/*
 * sandbox.h - what adoptd gives up once it has all that it was started for
 *
 * What is left to it follows from the configuration: adoptd(8), SANDBOX. None of it can be
 * had back, so a reload that would need more is refused, and the next adoptd is started by
 * one who has given up nothing (starter.h).
 */
#ifndef DAEMON_SANDBOX_H
#define DAEMON_SANDBOX_H

#include "program.h"
#include "setup.h"
#include "starter.h"

/* Initialize with zeros. */
struct sandbox {
	bool closed;    /* something has been given up */
	unsigned needs; /* and this was not: a set of enum confine_need */
	enum config_sandbox level;
	struct starter *starter; /* NULL: none is needed, or there is none to be had */
};

/* What a sandbox is for. Needed during the call only, but for the program. */
struct sandbox_order {
	const struct setup *setup;
	const struct listen_set *given; /* sockets that may be closed yet */
	const struct program *program;  /* to hand over to */
	bool hands_over;                /* this adoptd could, if its sandbox let it */
	bool to_syslog;                 /* the log goes to syslog(3) */
};

/*
 * Gives up what the setup's configuration says, before there are threads. What the system
 * cannot do is logged, and left out.
 * Returns 0 or a negative errno.
 */
int sandbox_enter(struct sandbox *sandbox, const struct sandbox_order *order);

/* Adds a fault for each thing in a configuration that the sandbox does not allow any more. */
void sandbox_judge(const struct sandbox *sandbox, const struct config *config,
		   struct faults *faults);

/* Tells why there can be no hand-over, in words; NULL where there can. */
const char *sandbox_why_alone(const struct sandbox *sandbox);

/* Ends the starter; what has been given up stays so. */
void sandbox_done(struct sandbox *sandbox);

#endif
