/* show.h - a command that asks adoptd for something, and shows it */
#ifndef ADOPTCTL_SHOW_H
#define ADOPTCTL_SHOW_H

#include "columns.h"
#include "command.h"

#include <jansson.h>

/*
 * Runs a command without words: prints the data of the answer as JSON where that is asked
 * for, and else has it printed for people.
 * print: returns 0 or -ENOMEM.
 * Returns the exit code.
 */
enum command_exit show_answer(const struct command *command, const struct command_options *options,
			      int argc, char *argv[], int (*print)(const json_t *data));

/*
 * Prints the objects of an array as a table.
 * add: adds the rows of one of them; returns 0 or -ENOMEM.
 * Returns 0 or -ENOMEM.
 */
int show_table(const json_t *array, const struct column *heads, size_t count,
	       int (*add)(struct columns *columns, const json_t *object));

/* Says that memory is short. Returns COMMAND_SYSTEM. */
enum command_exit show_no_memory(const struct command *command);

#endif
