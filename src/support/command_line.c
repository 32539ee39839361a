#include "command_line.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

void command_line_start(struct command_line *line)
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
	line->value = NULL;
	line->rest = 1;
}

static int refuse_option(const struct command_line *line, int option)
{
	const char *last = line->argv[optind - 1];
	char letter[] = {'-', (char)optopt, '\0'};
	/* In a bundle of letters optopt tells which; a long one is a word itself. */
	const char *word = optopt > 0 && optopt < COMMAND_LINE_LONG && strncmp(last, "--", 2) != 0
				   ? letter
				   : last;

	if (option == ':')
		return command_line_refuse(line, "%s needs a value", word);
	return command_line_refuse(line, "%s is no option of %s", word, line->program);
}

int command_line_next(struct command_line *line)
{
	int option = getopt_long(line->argc, line->argv, line->letters, line->table, NULL);

	line->value = optarg;
	line->rest = optind;
	return option == ':' || option == '?' ? refuse_option(line, option) : option;
}

int command_line_refuse(const struct command_line *line, const char *format, ...)
{
	va_list args;

	fprintf(line->errors, "%s: ", line->program);
	va_start(args, format);
	vfprintf(line->errors, format, args);
	va_end(args);
	fprintf(line->errors, "; %s --help tells more\n", line->program);
	return -EINVAL;
}

int command_line_take_once(const struct command_line *line, const char *name, const char **to)
{
	if (*to)
		return command_line_refuse(line, "%s is given twice", name);
	*to = line->value;
	return 0;
}
