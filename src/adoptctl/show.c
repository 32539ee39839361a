#include "show.h"

#include "call.h"

#include <errno.h>
#include <string.h>

enum command_exit show_no_memory(const struct command *command)
{
	fprintf(stderr, "adoptctl %s: %s\n", command->name, strerror(ENOMEM));
	return COMMAND_SYSTEM;
}

enum command_exit show_answer(const struct command *command, const struct command_options *options,
			      int argc, char *argv[], int (*print)(const json_t *data))
{
	enum command_exit code = COMMAND_OK;
	json_t *data = NULL;
	char **words;

	if (command_words(command, argc, argv, 0, 0, &words, &code) < 0)
		return code;
	code = call_once(options, command->name, json_object(), &data);
	if (code == COMMAND_OK && options->json)
		call_print_json(data);
	else if (code == COMMAND_OK && print(data) < 0)
		code = show_no_memory(command);
	json_decref(data);
	return code;
}

int show_table(const json_t *array, const struct column *heads, size_t count,
	       int (*add)(struct columns *columns, const json_t *object))
{
	struct columns *columns;
	const json_t *object;
	size_t i;
	int error = columns_new(heads, count, &columns);

	if (error < 0)
		return error;
	json_array_foreach(array, i, object)
	{
		error = add(columns, object);
		if (error < 0)
			break;
	}
	if (error == 0)
		columns_print(columns, stdout);
	columns_free(&columns);
	return error;
}
