/*
 * command.h - what a command of adoptctl is
 *
 * A command is one file and one `const struct command`, listed in table.c.
 */
#ifndef ADOPTCTL_COMMAND_H
#define ADOPTCTL_COMMAND_H

#include <stdbool.h>
#include <stdio.h>

/* The numbers of sysexits.h, which adoptctl(1) promises. */
enum command_exit {
	COMMAND_OK = 0,
	COMMAND_USAGE = 64,
	COMMAND_DATA = 65,   /* what was read is faulty */
	COMMAND_INPUT = 66,  /* a file cannot be read */
	COMMAND_SYSTEM = 71, /* the system refused something */
	COMMAND_CREATE = 73, /* a file cannot be written */
};

/* What stands before the command. */
struct command_options {
	const char *socket; /* of -s, NULL for none */
	bool json;
};

struct command {
	const char *name;
	const char *arguments; /* what --help shows behind the name */
	const char *summary;   /* one line of --help */

	/*
	 * Runs it.
	 * argc, argv: its own words, argv[0] being the name.
	 * Returns the exit code; what is wrong has been said on stderr.
	 */
	enum command_exit (*run)(const struct command_options *options, int argc, char *argv[]);
};

/* All commands, ended by NULL (table.c). */
extern const struct command *const command_table[];

/* Names of adoptctl(1)'s commands that are not built yet, ended by NULL. */
extern const char *const command_unsupported[];

extern const struct command command_import;

#endif
