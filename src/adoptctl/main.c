/* adoptctl: the options before a command, and the command. */
#include "command.h"
#include "support/command_line.h"
#include "support/value.h"

#include <string.h>

enum {
	OPTION_JSON = COMMAND_LINE_LONG,
};

static const struct option table[] = {
	{"socket", required_argument, NULL, 's'},
	{"json", no_argument, NULL, OPTION_JSON},
	{"version", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void print_help(void)
{
	fputs("usage: adoptctl [-s SOCKET] [--json] COMMAND [ARGUMENT]...\n"
	      "\n"
	      "Controls a running adoptd, and imports the configuration of other daemons.\n"
	      "\n",
	      stdout);
	for (size_t i = 0; command_table[i]; i++)
		printf("  %s%s%s\n      %s\n", command_table[i]->name,
		       *command_table[i]->arguments ? " " : "", command_table[i]->arguments,
		       command_table[i]->summary);
	fputs("\n"
	      "  -s, --socket SOCKET  the control socket of adoptd\n"
	      "      --json           print JSON\n"
	      "  -v, --version        print the version, and exit\n"
	      "  -h, --help           print this, and exit; behind a command, its own options\n"
	      "\n"
	      "See adoptctl(1).\n",
	      stdout);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; command_table[i]; i++)
		if (strcmp(command_table[i]->name, name) == 0)
			return command_table[i];
	return NULL;
}

static enum command_exit refuse_command(const struct command_line *line, const char *name)
{
	const char *names[32] = {NULL};
	const char *suggestion;
	size_t count = 0;

	for (size_t i = 0; command_table[i]; i++)
		names[count++] = command_table[i]->name;
	suggestion = value_suggest(name, names);
	if (suggestion)
		command_line_refuse(line, "unknown command \"%s\"; did you mean \"%s\"?", name,
				    suggestion);
	else
		command_line_refuse(line, "unknown command \"%s\"", name);
	return COMMAND_USAGE;
}

static enum command_exit run(const struct command_options *options, const struct command_line *line)
{
	const struct command *command;

	if (line->rest == line->argc) {
		command_line_refuse(line, "a command is missing");
		return COMMAND_USAGE;
	}
	command = find_command(line->argv[line->rest]);
	if (!command)
		return refuse_command(line, line->argv[line->rest]);
	return command->run(options, line->argc - line->rest, line->argv + line->rest);
}

/* What could not be written is told where nothing else has failed. */
static enum command_exit finish(enum command_exit code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	if (code != COMMAND_OK)
		return code;
	perror("adoptctl");
	return COMMAND_SYSTEM;
}

int main(int argc, char *argv[])
{
	struct command_options options = {0};
	struct command_line line = {
		.program = "adoptctl",
		.errors = stderr,
		.argc = argc,
		.argv = argv,
		.letters = "+:s:vh",
		.table = table,
	};
	int option;

	command_line_start(&line);
	while ((option = command_line_next(&line)) != -1)
		switch (option) {
		case 's':
			if (command_line_take_once(&line, "-s", &options.socket) < 0)
				return COMMAND_USAGE;
			break;
		case OPTION_JSON:
			options.json = true;
			break;
		case 'v':
			puts("adoptctl " PACKAGE_VERSION);
			return COMMAND_OK;
		case 'h':
			print_help();
			return COMMAND_OK;
		default:
			return COMMAND_USAGE;
		}
	return (int)finish(run(&options, &line));
}
