/* command_line.h - options by getopt_long(), and what is said where they are wrong */
#ifndef SUPPORT_COMMAND_LINE_H
#define SUPPORT_COMMAND_LINE_H

#include <getopt.h>
#include <stdio.h>

/* The first value for options that have no letter. */
#define COMMAND_LINE_LONG 256

/* A command line that is being read. One at a time: getopt_long() keeps its place in
 * globals. */
struct command_line {
	const char *program; /* what complaints begin with, and whose --help they point at */
	FILE *errors;        /* where those go */
	int argc;
	char **argv; /* main()'s; getopt_long() may reorder it */
	/* getopt(3)'s, beginning with ':', or with "+:" where the first word that is no
	 * option ends them. */
	const char *letters;
	/* Ended by zeros; what has no letter counts from COMMAND_LINE_LONG. */
	const struct option *table;

	const char *value; /* of the latest option, in argv; NULL for none */
	int rest;          /* behind the last option: the index of the next word */
};

/* Begins to read behind argv[0]. The fields before `value` are the caller's to set. */
void command_line_start(struct command_line *line);

/*
 * Reads the next option.
 * Returns its letter or value; -1 behind the last one; -EINVAL where it is none of
 * the table or lacks its value, which has been said.
 */
int command_line_next(struct command_line *line);

/*
 * Says what is wrong, in one line.
 * format: a sentence without a full stop or a line feed.
 * Returns -EINVAL.
 */
int command_line_refuse(const struct command_line *line, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Keeps the value of an option that can be given once.
 * name: the option's, for the complaint.
 * to: NULL until then.
 * Returns 0; -EINVAL the second time, which has been said.
 */
int command_line_take_once(const struct command_line *line, const char *name, const char **to);

#endif
