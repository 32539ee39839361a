/* Whatever somebody sends to the control socket: a request that holds what it must, or what
 * is wrong with it, in an answer that can be read. */
#include "daemon/control_answer.h"
#include "daemon/control_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void check_request(struct control_request *request)
{
	if ((request->command == CONTROL_KILL) != (request->id > 0) || request->limit < 1 ||
	    request->limit > CONTROL_PAGE_MAX)
		abort();
	if (request->port && request->command != CONTROL_DRAIN &&
	    request->command != CONTROL_UNDRAIN)
		abort();
	control_request_done(request);
}

/* What is told may quote what was sent. */
static void check_problem(const struct control_problem *problem)
{
	struct control_answer answer = {0};
	char *line;
	json_t *object;

	control_fail(&answer, problem->code, "%s", problem->text);
	line = control_answer_line(&answer);
	if (!line || strchr(line, '\n') != line + strlen(line) - 1)
		abort();
	object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_false(json_object_get(object, "ok")))
		abort();
	json_decref(object);
	free(line);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct control_request request;
	struct control_problem problem;
	int result = control_request_read((const char *)data, size, &request, &problem);

	if (result == 0)
		check_request(&request);
	else if (result == -EINVAL)
		check_problem(&problem);
	return 0;
}
