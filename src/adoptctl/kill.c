/* adoptctl kill: ends a connection. */
#include "change.h"
#include "support/value.h"

static enum command_exit run(const struct command_options *options, int argc, char *argv[])
{
	enum command_exit code;
	uint64_t id;
	char **words;

	if (command_words(&command_kill, argc, argv, 1, 1, &words, &code) < 0)
		return code;
	if (value_number(words[0], 1, INT64_MAX, &id) < 0)
		return command_refuse(&command_kill, "\"%s\" is no number of a connection",
				      words[0]);
	return change(&command_kill, options, json_pack("{s:I}", "id", (json_int_t)id));
}

const struct command command_kill = {
	.name = "kill",
	.arguments = "ID",
	.summary = "end a connection at once",
	.run = run,
};
