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
	COMMAND_NOT_FOUND = 1, /* adoptd has no such connection or port */
	COMMAND_USAGE = 64,
	COMMAND_DATA = 65,        /* what was read is faulty */
	COMMAND_INPUT = 66,       /* a file cannot be read */
	COMMAND_UNAVAILABLE = 69, /* no adoptd answers */
	COMMAND_SYSTEM = 71,      /* the system refused something */
	COMMAND_CREATE = 73,      /* a file cannot be written */
	COMMAND_LATER = 75,       /* adoptd is draining, or handing over */
	COMMAND_PROTOCOL = 76,    /* adoptd and adoptctl do not understand each other */
	COMMAND_PERMISSION = 77,  /* the control socket is not for this user */
	COMMAND_CONFIG = 78,      /* adoptd's configuration has faults */
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

/*
 * Reads the words of a command that has no options but --help.
 * min, max: how many it takes.
 * ret: the words behind the name, in argv.
 * ret_code: the exit code where it is not to run: wrong usage, or --help, which has been
 * said.
 * Returns how many words there are, or -1 where it is not to run.
 */
int command_words(const struct command *command, int argc, char *argv[], int min, int max,
		  char ***ret, enum command_exit *ret_code);

/* Says what is wrong with a command's words. Returns COMMAND_USAGE. */
enum command_exit command_refuse(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

extern const struct command command_connections;
extern const struct command command_drain;
extern const struct command command_give;
extern const struct command command_import;
extern const struct command command_kill;
extern const struct command command_log_level;
extern const struct command command_ports;
extern const struct command command_reload;
extern const struct command command_status;
extern const struct command command_undrain;
extern const struct command command_upstreams;

#endif
