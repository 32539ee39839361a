#include "options.h"

#include "activation/activation.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_PATH SYSCONFDIR "/adoptd/adoptd.conf"

/* What has no letter of its own. */
enum {
	OPTION_CHECK = 256,
	OPTION_DUMP,
	OPTION_FD,
	OPTION_STRICT,
};

static const struct option table[] = {
	{"config", required_argument, NULL, 'c'},
	{"execute", required_argument, NULL, 'e'},
	{"fd", required_argument, NULL, OPTION_FD},
	{"check", no_argument, NULL, OPTION_CHECK},
	{"strict", no_argument, NULL, OPTION_STRICT},
	{"dump", no_argument, NULL, OPTION_DUMP},
	{"version", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int refuse(FILE *errors, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(FILE *errors, const char *format, ...)
{
	va_list args;

	fputs("adoptd: ", errors);
	va_start(args, format);
	vfprintf(errors, format, args);
	va_end(args);
	fputs("; adoptd --help tells more\n", errors);
	return -EINVAL;
}

static int take_once(const char **to, const char *name, FILE *errors)
{
	if (*to)
		return refuse(errors, "%s is given twice", name);
	*to = optarg;
	return 0;
}

static int take(struct options *options, int option, const char *word, FILE *errors)
{
	size_t fds = 0;

	switch (option) {
	case 'c':
		return take_once(&options->config_path, "-c", errors);
	case 'e':
		return take_once(&options->config_text, "-e", errors);
	case OPTION_FD:
		if (!fd_option_is_valid(optarg))
			return refuse(errors,
				      "--fd takes FD or NAME=FD, FD being a descriptor's number, "
				      "not \"%s\"",
				      optarg);
		while (options->fds[fds])
			fds++;
		options->fds[fds] = optarg;
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
	case ':':
		return refuse(errors, "%s needs a value", word);
	default:
		return refuse(errors, "%s is no option of adoptd", word);
	}
}

/* getopt_long() keeps its place in globals: begin anew at each call. */
static void restart_getopt(void)
{
	opterr = 0;
#ifdef __GLIBC__
	optind = 0;
#else
	optind = 1;
#endif
#if HAVE_DECL_OPTRESET
	optreset = 1;
#endif
}

int options_parse(int argc, char *argv[], FILE *errors, struct options *ret)
{
	/* Each --fd takes a word at least. */
	struct options options = {.fds = calloc((size_t)argc + 1, sizeof *options.fds)};
	int error = options.fds ? 0 : -ENOMEM;
	int option = 0;

	restart_getopt();
	while (!error) {
		char letter[] = "-?";
		const char *word;

		option = getopt_long(argc, argv, ":c:e:vh", table, NULL);
		if (option == -1)
			break;
		/* In a bundle of letters optopt tells which; a long one is a word itself. */
		letter[1] = (char)optopt;
		word = optopt > 0 && optopt < OPTION_CHECK && strncmp(argv[optind - 1], "--", 2)
			       ? letter
			       : argv[optind - 1];
		error = take(&options, option, word, errors);
	}
	if (!error && !options.help && !options.version) {
		if (optind < argc)
			error = refuse(errors, "\"%s\" is left over: adoptd takes options only",
				       argv[optind]);
		else if (options.config_path && options.config_text)
			error = refuse(errors, "-c and -e exclude each other");
	}
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
	options->fds = NULL;
}

void options_print_help(FILE *stream)
{
	fputs("usage: adoptd [-c FILE | -e TEXT] [--fd [NAME=]FD]... [--check] "
	      "[--strict]\n"
	      "              [--dump]\n"
	      "\n"
	      "Serves the sockets that systemd, launchd, inetd or a parent process hands over.\n"
	      "\n"
	      "  -c, --config FILE    the configuration; where neither is given:\n"
	      "                       " DEFAULT_PATH "\n"
	      "  -e, --execute TEXT   the configuration itself, instead of a file\n"
	      "      --fd [NAME=]FD   adopt the inherited descriptor FD under NAME (listeners);\n"
	      "                       repeatable\n"
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
