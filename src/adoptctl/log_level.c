/* adoptctl log-level: what is logged, until the next reload. */
#include "change.h"
#include "support/log.h"

static enum command_exit run(const struct command_options *options, int argc, char *argv[])
{
	enum command_exit code;
	enum log_level level;
	char **words;

	if (command_words(&command_log_level, argc, argv, 1, 1, &words, &code) < 0)
		return code;
	if (log_level_parse(words[0], &level) < 0)
		return command_refuse(&command_log_level,
				      "\"%s\" is none of error, warning, notice, info, debug",
				      words[0]);
	return change(&command_log_level, options, json_pack("{s:s}", "level", words[0]));
}

const struct command command_log_level = {
	.name = "log-level",
	.arguments = "LEVEL",
	.summary = "log from this level on, until the next reload",
	.run = run,
};
