#include "change.h"

#include "call.h"

enum command_exit change(const struct command *command, const struct command_options *options,
			 json_t *request)
{
	json_t *data = NULL;
	enum command_exit code = call_once(options, command->name, request, &data);

	if (code == COMMAND_OK && options->json)
		call_print_json(data);
	json_decref(data);
	return code;
}
