/* adoptctl import: the configuration of inetd or xinetd becomes one of adoptd. */
#include "blocks.h"
#include "command.h"
#include "conf.h"
#include "inetd.h"
#include "input.h"
#include "kind.h"
#include "names.h"
#include "support/command_line.h"
#include "units.h"
#include "xinetd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Where adoptd looks for its configuration by itself. */
#define DEFAULT_CONFIG SYSCONFDIR "/adoptd/" CONF_NAME
#define DEFAULT_PROGRAM SBINDIR "/adoptd"

enum {
	OPTION_FORCE = COMMAND_LINE_LONG,
	OPTION_FROM,
	OPTION_PROGRAM,
};

static const struct option table[] = {
	{"output", required_argument, NULL, 'o'},
	{"force", no_argument, NULL, OPTION_FORCE},
	{"from", required_argument, NULL, OPTION_FROM},
	{"adoptd", required_argument, NULL, OPTION_PROGRAM},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

struct options {
	const char *directory; /* of --output; NULL for standard output */
	bool force;
	const char *from; /* NULL: what is read tells */
	enum kind kind;   /* of `from` */
	const char *program;
	bool help;
	char **files; /* in argv */
	int count;
};

static void print_help(void)
{
	fputs("usage: adoptctl import [-o DIRECTORY [--force]] [--from KIND] [--adoptd PATH]\n"
	      "                       FILE...\n"
	      "\n"
	      "Prints an adoptd.conf and units for systemd that do what an inetd.conf or\n"
	      "xinetd.conf says, and names on stderr what has no counterpart.\n"
	      "\n"
	      "  -o, --output DIRECTORY  write files into this directory\n"
	      "      --force             replace those that are there\n"
	      "      --from KIND         inetd or xinetd, where it cannot be told from FILE\n"
	      "      --adoptd PATH       the adoptd that the units start:\n"
	      "                          " DEFAULT_PROGRAM "\n"
	      "  -h, --help              print this, and exit\n"
	      "\n"
	      "FILE may be - for standard input.\n"
	      "Exit codes: 0; 64 wrong usage; 65 FILE has faults, and the rest was imported;\n"
	      "66 it cannot be read; 71 the system refused something; 73 a file cannot be\n"
	      "written.\n",
	      stdout);
}

static int take(struct options *options, int option, const struct command_line *line)
{
	switch (option) {
	case 'o':
		return command_line_take_once(line, "-o", &options->directory);
	case OPTION_FORCE:
		options->force = true;
		return 0;
	case OPTION_FROM:
		return command_line_take_once(line, "--from", &options->from);
	case OPTION_PROGRAM:
		return command_line_take_once(line, "--adoptd", &options->program);
	case 'h':
		options->help = true;
		return 0;
	default:
		return -EINVAL; /* it has been said */
	}
}

/* A unit could not name such a path. */
static bool has_control(const char *path)
{
	for (; *path; path++)
		if ((unsigned char)*path < 0x20 || *path == 0x7f)
			return true;
	return false;
}

static int check_together(struct options *options, const struct command_line *line)
{
	if (options->help)
		return 0;
	if (options->from && kind_parse(options->from, &options->kind) < 0)
		return command_line_refuse(line, "--from takes inetd or xinetd, not \"%s\"",
					   options->from);
	if (options->program && (options->program[0] != '/' || has_control(options->program)))
		return command_line_refuse(line, "--adoptd takes an absolute path, not \"%s\"",
					   options->program);
	if (options->directory && has_control(options->directory))
		return command_line_refuse(line, "--output takes no control characters");
	if (options->force && !options->directory)
		return command_line_refuse(line, "--force is for --output");
	if (options->count == 0)
		return command_line_refuse(line, "a file is missing");
	return 0;
}

static int parse(int argc, char *argv[], struct options *ret)
{
	struct options options = {0};
	struct command_line line = {
		.program = "adoptctl import",
		.errors = stderr,
		.argc = argc,
		.argv = argv,
		.letters = ":o:h",
		.table = table,
	};
	int error = 0, option;

	command_line_start(&line);
	while (error == 0 && (option = command_line_next(&line)) != -1)
		error = take(&options, option, &line);
	options.files = argv + line.rest;
	options.count = argc - line.rest;
	if (error == 0)
		error = check_together(&options, &line);
	if (error == 0)
		*ret = options;
	return error;
}

static enum command_exit fail(const char *what, const char *why, enum command_exit code)
{
	fprintf(stderr, "adoptctl import: %s%s%s\n", what ? what : "", what ? ": " : "", why);
	return code;
}

static enum command_exit read_one(const struct options *options, const char *path,
				  struct faults *faults, struct services *services)
{
	bool standard = strcmp(path, "-") == 0;
	const char *name = standard ? "stdin" : path;
	enum kind kind = options->kind;
	char *text = NULL;
	size_t length = 0;
	int error = standard ? input_load_stdin(&text, &length) : input_load(path, &text, &length);

	if (error < 0)
		return fail(name, input_problem(error),
			    error == -EILSEQ || error == -EFBIG ? COMMAND_DATA : COMMAND_INPUT);
	if (!options->from)
		kind = kind_guess(text, length, name);
	if (kind == KIND_XINETD)
		error = xinetd_read(text, length, name, &names_of_system, faults, services);
	else
		error = inetd_read(text, length, name, &names_of_system, faults, services);
	free(text);
	return error < 0 ? fail(name, strerror(-error), COMMAND_SYSTEM) : COMMAND_OK;
}

/* Tells whether the sandbox of a unit hides a path, or shows another in its place. */
static bool is_hidden(const char *path, const struct blocks *blocks)
{
	static const char *const hidden[] = {"/home/", "/root/", "/run/user/", "/tmp/",
					     "/var/tmp/"};
	bool sandboxed = false, below = false;

	for (size_t i = 0; i < blocks->unit_count; i++)
		sandboxed = sandboxed || !blocks->units[i].runs_programs;
	for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
		below = below || strncmp(path, hidden[i], strlen(hidden[i])) == 0;
	return sandboxed && below;
}

/* Makes the directory where there is none. ret: where adoptd.conf will be, malloc'ed. */
static int find_config(const char *directory, char **ret)
{
	char *real, *path = NULL;

	if (!directory) {
		path = strdup(DEFAULT_CONFIG);
	} else {
		if (mkdir(directory, 0755) < 0 && errno != EEXIST)
			return -errno;
		real = realpath(directory, NULL);
		if (!real)
			return -errno;
		if (asprintf(&path, "%s/%s", real, CONF_NAME) < 0)
			path = NULL;
		free(real);
	}
	if (!path)
		return -ENOMEM;
	*ret = path;
	return 0;
}

static int write_files(const struct services *services, const struct blocks *blocks,
		       const struct units_target *target, struct output *output)
{
	int error = conf_write(services, blocks, output);

	return error < 0 ? error : units_write(blocks, target, output);
}

static enum command_exit put_out(const struct options *options, struct output *output)
{
	char *culprit = NULL;
	enum command_exit code = COMMAND_OK;
	int error;

	if (!options->directory) {
		error = output_print(output, stdout);
		return error < 0 ? fail(NULL, strerror(-error), COMMAND_SYSTEM) : COMMAND_OK;
	}
	error = output_write(output, options->directory, options->force, stdout, &culprit);
	if (error < 0)
		code = fail(culprit,
			    error == -EEXIST ? "it is there already; --force would replace it"
					     : strerror(-error),
			    COMMAND_CREATE);
	free(culprit);
	return code;
}

static enum command_exit write_all(const struct options *options, const struct services *services,
				   struct faults *faults)
{
	struct units_target target = {options->program ? options->program : DEFAULT_PROGRAM, NULL};
	struct blocks *blocks = NULL;
	struct output *output = NULL;
	enum command_exit code = COMMAND_OK;
	char *config = NULL;
	int error = find_config(options->directory, &config);

	if (error < 0)
		return fail(options->directory, strerror(-error), COMMAND_CREATE);
	target.config = config;
	error = blocks_new(services, faults, &blocks);
	if (error == 0 && options->directory && is_hidden(config, blocks))
		fault_add(
			faults, FAULT_WARNING, config, 0,
			"the sandbox of adoptd-imported.service hides this directory; one in /etc "
			"would do");
	if (error == 0)
		error = output_new(&output);
	if (error == 0)
		error = write_files(services, blocks, &target, output);
	code = error < 0 ? fail(NULL, strerror(-error), COMMAND_SYSTEM) : put_out(options, output);
	output_free(&output);
	blocks_free(&blocks);
	free(config);
	return code;
}

static enum command_exit import(const struct options *options, struct faults *faults,
				struct services *services)
{
	enum command_exit code = COMMAND_OK;

	for (int i = 0; code == COMMAND_OK && i < options->count; i++)
		code = read_one(options, options->files[i], faults, services);
	if (code == COMMAND_OK && services->count > 0)
		code = write_all(options, services, faults);
	faults_print(faults, stderr);
	if (code == COMMAND_OK && services->count == 0)
		fail(NULL, "there is no service to import, so nothing is written", code);
	if (code == COMMAND_OK && faults_count(faults, FAULT_ERROR) > 0)
		code = COMMAND_DATA;
	return code;
}

static enum command_exit run(const struct command_options *global, int argc, char *argv[])
{
	struct services *services = NULL;
	struct faults *faults = NULL;
	struct options options = {0};
	enum command_exit code = COMMAND_SYSTEM;

	if (parse(argc, argv, &options) < 0)
		return COMMAND_USAGE;
	if (options.help) {
		print_help();
		return COMMAND_OK;
	}
	if (global->socket || global->json) {
		fail(NULL, "it knows neither -s nor --json", COMMAND_USAGE);
		return COMMAND_USAGE;
	}
	services = calloc(1, sizeof *services);
	if (services && faults_new(&faults) == 0)
		code = import(&options, faults, services);
	else
		fail(NULL, strerror(ENOMEM), code);
	faults_free(&faults);
	services_free(&services);
	return code;
}

const struct command command_import = {
	.name = "import",
	.arguments = "[-o DIRECTORY] FILE...",
	.summary = "turn an inetd.conf or xinetd.conf into an adoptd.conf and units",
	.run = run,
};
