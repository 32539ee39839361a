/* The words of commands that have no options of their own. */
#include "command.h"

#include "support/command_line.h"

#include <stdarg.h>

static const struct option table[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};

#define PROGRAM_SIZE 32

static const char *program_of(const struct command *command, char program[PROGRAM_SIZE])
{
	snprintf(program, PROGRAM_SIZE, "adoptctl %s", command->name);
	return program;
}

enum command_exit command_refuse(const struct command *command, const char *format, ...)
{
	char program[PROGRAM_SIZE], text[256];
	const struct command_line line = {
		.program = program_of(command, program),
		.errors = stderr,
	};
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	command_line_refuse(&line, "%s", text);
	return COMMAND_USAGE;
}

static void print_help(const struct command *command)
{
	printf("usage: adoptctl [-s SOCKET] [--json] %s%s%s\n\nTo %s. See adoptctl(1).\n",
	       command->name, *command->arguments ? " " : "", command->arguments, command->summary);
}

static enum command_exit read_options(const struct command *command, struct command_line *line,
				      bool *ret_help)
{
	int option;

	command_line_start(line);
	*ret_help = false;
	while ((option = command_line_next(line)) != -1) {
		if (option != 'h')
			return COMMAND_USAGE;
		*ret_help = true;
	}
	if (*ret_help)
		print_help(command);
	return COMMAND_OK;
}

static enum command_exit count_words(const struct command *command, const struct command_line *line,
				     int min, int max)
{
	int count = line->argc - line->rest;

	if (count > max)
		return command_refuse(command, "\"%s\" is left over", line->argv[line->rest + max]);
	if (count < min)
		return command_refuse(command, "%s is missing", command->arguments);
	return COMMAND_OK;
}

int command_words(const struct command *command, int argc, char *argv[], int min, int max,
		  char ***ret, enum command_exit *ret_code)
{
	char program[PROGRAM_SIZE];
	struct command_line line = {
		.program = program_of(command, program),
		.errors = stderr,
		.argc = argc,
		.argv = argv,
		.letters = ":h",
		.table = table,
	};
	enum command_exit code;
	bool help;

	code = read_options(command, &line, &help);
	if (code == COMMAND_OK && !help)
		code = count_words(command, &line, min, max);
	if (code != COMMAND_OK || help) {
		*ret_code = code;
		return -1;
	}
	*ret = argv + line.rest;
	return argc - line.rest;
}
