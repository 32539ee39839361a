#include "options.h"

#include "activation/activation.h"
#include "support/command_line.h"

#include <errno.h>
#include <stdlib.h>

#define DEFAULT_PATH SYSCONFDIR "/adoptd/adoptd.conf"

/* What has no letter of its own. */
enum {
	OPTION_CHECK = COMMAND_LINE_LONG,
	OPTION_DUMP,
	OPTION_FD,
	OPTION_FROM,
	OPTION_STRICT,
};

static const struct option table[] = {
	{"config", required_argument, NULL, 'c'},   {"execute", required_argument, NULL, 'e'},
	{"fd", required_argument, NULL, OPTION_FD}, {"from", required_argument, NULL, OPTION_FROM},
	{"check", no_argument, NULL, OPTION_CHECK}, {"strict", no_argument, NULL, OPTION_STRICT},
	{"dump", no_argument, NULL, OPTION_DUMP},   {"version", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0},
};

static void append(const char **values, const char *value)
{
	while (*values)
		values++;
	*values = value;
}

static int take(struct options *options, int option, const struct command_line *line)
{
	switch (option) {
	case 'c':
		return command_line_take_once(line, "-c", &options->config_path);
	case 'e':
		return command_line_take_once(line, "-e", &options->config_text);
	case OPTION_FD:
		if (!fd_option_is_valid(line->value))
			return command_line_refuse(
				line,
				"--fd takes FD or NAME=FD, FD being a descriptor's number, "
				"not \"%s\"",
				line->value);
		append(options->fds, line->value);
		return 0;
	case OPTION_FROM:
		if (!from_option_is_valid(line->value))
			return command_line_refuse(
				line,
				"--from takes SOCKET or haproxy:SOCKET, the path of a UNIX "
				"socket, not \"%s\"",
				line->value);
		append(options->froms, line->value);
		return 0;
	case OPTION_CHECK:
		options->check = true;
		return 0;
	case OPTION_STRICT:
		options->strict = true;
		return 0;
	case OPTION_DUMP:
		options->dump = true;
		return 0;
	case 'v':
		options->version = true;
		return 0;
	case 'h':
		options->help = true;
		return 0;
	default:
		return -EINVAL; /* it has been said */
	}
}

static int check_together(const struct options *options, const struct command_line *line)
{
	if (options->help || options->version)
		return 0;
	if (line->rest < line->argc)
		return command_line_refuse(line, "\"%s\" is left over: adoptd takes options only",
					   line->argv[line->rest]);
	if (options->config_path && options->config_text)
		return command_line_refuse(line, "-c and -e exclude each other");
	return 0;
}

int options_parse(int argc, char *argv[], FILE *errors, struct options *ret)
{
	struct command_line line = {
		.program = "adoptd",
		.errors = errors,
		.argc = argc,
		.argv = argv,
		.letters = ":c:e:vh",
		.table = table,
	};
	/* Each --fd and --from takes a word at least. */
	struct options options = {
		.fds = calloc((size_t)argc + 1, sizeof *options.fds),
		.froms = calloc((size_t)argc + 1, sizeof *options.froms),
	};
	int error = options.fds && options.froms ? 0 : -ENOMEM;
	int option;

	command_line_start(&line);
	while (!error && (option = command_line_next(&line)) != -1)
		error = take(&options, option, &line);
	if (!error)
		error = check_together(&options, &line);
	if (error) {
		options_done(&options);
		return error;
	}
	if (!options.config_path && !options.config_text)
		options.config_path = DEFAULT_PATH;
	*ret = options;
	return 0;
}

void options_done(struct options *options)
{
	free(options->fds);
	free(options->froms);
	options->fds = options->froms = NULL;
}

void options_print_help(FILE *stream)
{
	fputs("usage: adoptd [-c FILE | -e TEXT] [--fd [NAME=]FD]...\n"
	      "              [--from [haproxy:]SOCKET]... [--check] [--strict] [--dump]\n"
	      "\n"
	      "Serves the sockets that systemd, launchd, inetd or a parent process hands over.\n"
	      "\n"
	      "  -c, --config FILE    the configuration; where neither is given:\n"
	      "                       " DEFAULT_PATH "\n"
	      "  -e, --execute TEXT   the configuration itself, instead of a file\n"
	      "      --fd [NAME=]FD   adopt the inherited descriptor FD under NAME (listeners);\n"
	      "                       repeatable\n"
	      "      --from SOCKET    adopt what `adoptctl give` gives there; repeatable\n"
	      "      --from haproxy:SOCKET\n"
	      "                       adopt the sockets of an HAProxy by its stats socket\n"
	      "      --check          print every fault of the configuration, and exit\n"
	      "      --strict         warnings are faults\n"
	      "      --dump           print the effective configuration, and exit\n"
	      "  -v, --version        print the version, and exit\n"
	      "  -h, --help           print this, and exit\n"
	      "\n"
	      "Exit codes: 0; 64 wrong usage; 71 the system refused something; 78 a fault in\n"
	      "the configuration, or between it and the descriptors handed over.\n"
	      "See adoptd(8) and adoptd.conf(5).\n",
	      stream);
}

void options_print_version(FILE *stream)
{
	fputs(PACKAGE_NAME " " PACKAGE_VERSION "\n", stream);
}
