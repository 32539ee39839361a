/* adoptctl drain and undrain: a port, or all, accept no more, and again. */
#include "change.h"
#include "support/json_text.h"

static enum command_exit run(const struct command *command, const struct command_options *options,
			     int argc, char *argv[])
{
	enum command_exit code;
	char **words;
	int count = command_words(command, argc, argv, 0, 1, &words, &code);

	if (count < 0)
		return code;
	return change(command, options,
		      count > 0 ? json_pack("{s:o}", "port", json_text(words[0])) : json_object());
}

static enum command_exit run_drain(const struct command_options *options, int argc, char *argv[])
{
	return run(&command_drain, options, argc, argv);
}

static enum command_exit run_undrain(const struct command_options *options, int argc, char *argv[])
{
	return run(&command_undrain, options, argc, argv);
}

const struct command command_drain = {
	.name = "drain",
	.arguments = "[PORT]",
	.summary = "have a port, or all of them, accept no more",
	.run = run_drain,
};

const struct command command_undrain = {
	.name = "undrain",
	.arguments = "[PORT]",
	.summary = "have a port, or all of them, accept again",
	.run = run_undrain,
};
