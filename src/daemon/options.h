/* options.h - what the command line of adoptd says: the table of adoptd(8) */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

/* sysexits.h's numbers, which adoptd(8) promises. */
#define OPTIONS_EXIT_USAGE 64

struct options {
	const char *config_path; /* of -c, else the default; NULL with -e */
	const char *config_text; /* of -e, else NULL */
	const char **fds;        /* of each --fd, in order, NULL-terminated; never NULL */
	const char **froms;      /* likewise of each --from */
	bool check;
	bool strict;
	bool dump;
	bool version; /* where version or help is set, nothing else matters */
	bool help;
};

/*
 * Reads a command line.
 * argc, argv: main()'s; getopt_long() may reorder argv. Results point into it.
 * errors: where one line is printed about wrong usage.
 * ret: free it with options_done().
 * Returns 0; -EINVAL for wrong usage: exit with OPTIONS_EXIT_USAGE; -ENOMEM.
 */
int options_parse(int argc, char *argv[], FILE *errors, struct options *ret);

/* Frees what the options hold. */
void options_done(struct options *options);

/* Print what --help and --version show. */
void options_print_help(FILE *stream);
void options_print_version(FILE *stream);

#endif
