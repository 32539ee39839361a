/* adoptctl reload: has adoptd read its configuration again. */
#include "change.h"

static enum command_exit run(const struct command_options *options, int argc, char *argv[])
{
	enum command_exit code;
	char **words;

	if (command_words(&command_reload, argc, argv, 0, 0, &words, &code) < 0)
		return code;
	return change(&command_reload, options, json_object());
}

const struct command command_reload = {
	.name = "reload",
	.arguments = "",
	.summary = "have adoptd read its configuration again",
	.run = run,
};
