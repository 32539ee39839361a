/* program.h - the programs that inetd and xinetd start, as exec's command */
#ifndef ADOPTCTL_PROGRAM_H
#define ADOPTCTL_PROGRAM_H

#include "names.h"
#include "service.h"
#include "support/fault.h"

/*
 * Has a service execute a program, the real one where that is tcpd(8). Words that its
 * command has already stay before it.
 * path: its path.
 * argv: its arguments, the name that it is called by being the first; at least one.
 * line: of the service's file; what cannot be kept is added to the faults there.
 * Returns 0; -EINVAL if the path is not absolute, which was added; -E2BIG; -ENOMEM.
 */
int program_set(struct service *service, const char *path, const struct words *argv, int line,
		struct faults *faults);

/*
 * Has a service's program run as a user, in a group; names or numbers.
 * group: NULL for the user's own; a number without one is the group's number, too.
 * line: of the service's file.
 * Returns 0; -EINVAL where there is no such user or group, which was added to the
 * faults; -ENOMEM.
 */
int program_set_user(struct service *service, const char *user, const char *group,
		     const struct names *names, int line, struct faults *faults);

/*
 * Adds `NAME=VALUE` to a service's environment, in place of an older one of that name.
 * What exec would not take is left out, and added to the faults.
 * line: of the service's file.
 * Returns 0; -E2BIG; -ENOMEM.
 */
int program_add_variable(struct service *service, const char *entry, int line,
			 struct faults *faults);

/* Adds a variable that adoptd passes on, unless the environment has it by now. Otherwise as
 * program_add_variable(). */
int program_inherit_variable(struct service *service, const char *name, int line,
			     struct faults *faults);

/* Finds the handler that is an internal service of a name. Returns it, a constant, or
 * NULL where adoptd has none. */
const char *program_internal(const char *name);

/* Returns what follows the last slash of a path. */
const char *program_name(const char *path);

#endif
