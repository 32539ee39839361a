/* change.h - a command that has adoptd change something */
#ifndef ADOPTCTL_CHANGE_H
#define ADOPTCTL_CHANGE_H

#include "command.h"

#include <jansson.h>

/*
 * Asks for a change, and prints what there is to tell of it as JSON where that is asked
 * for; else there is nothing to say.
 * request: given up.
 * Returns the exit code.
 */
enum command_exit change(const struct command *command, const struct command_options *options,
			 json_t *request);

#endif
