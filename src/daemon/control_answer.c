#include "control_answer.h"

#include "control_request.h"
#include "support/json_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void control_fail(struct control_answer *answer, const char *code, const char *format, ...)
{
	va_list args;

	answer->code = code;
	va_start(args, format);
	vsnprintf(answer->error, sizeof answer->error, format, args);
	va_end(args);
}

void control_check(struct control_answer *answer, int error)
{
	if (error < 0)
		control_fail(answer, "system", "%s", strerror(-error));
	else if (!answer->data)
		control_fail(answer, "system", "%s", strerror(ENOMEM));
}

static json_t *describe(const struct control_answer *answer)
{
	json_t *object = json_pack("{s:i, s:b}", "version", CONTROL_VERSION, "ok", !answer->code);
	int error = 0;

	if (answer->code) {
		error = json_object_set_new(object, "code", json_string(answer->code));
		if (error == 0)
			error = json_object_set_new(object, "error", json_text(answer->error));
	} else {
		error = json_object_set_new(
			object, "data", answer->data ? json_incref(answer->data) : json_object());
	}
	if (error == 0 && answer->faults)
		error = json_object_set(object, "faults", answer->faults);
	if (error == 0)
		return object;
	json_decref(object);
	return NULL;
}

char *control_answer_line(const struct control_answer *answer)
{
	json_t *object = describe(answer);
	char *line = json_line(object);

	json_decref(object);
	return line;
}

void control_answer_done(struct control_answer *answer)
{
	json_decref(answer->data);
	json_decref(answer->faults);
	*answer = (struct control_answer){0};
}
