/* A line of the log as a JSON object. */
#include "json_text.h"
#include "log_line.h"
#include "utc.h"

static json_t *time_now(void)
{
	struct timespec now;
	char text[UTC_TEXT_SIZE];

	clock_gettime(CLOCK_REALTIME, &now);
	return json_string(utc_format(&now, text));
}

static int add_fields(json_t *object, const struct log_line *line)
{
	int error = 0;

	for (size_t i = 0; error == 0 && i < line->field_count; i++) {
		const struct log_field *field = &line->fields[i];

		error = json_object_set_new(object, field->name,
					    field->text ? json_text(field->text)
							: json_integer((json_int_t)field->number));
	}
	return error;
}

static json_t *describe(const struct log_line *line)
{
	json_t *object = json_object();
	int error = json_object_set_new(object, "time", time_now());

	if (error == 0)
		error = json_object_set_new(object, "level",
					    json_string(log_level_name(line->level)));
	if (error == 0)
		error = json_object_set_new(object, "message", json_text(line->message));
	if (error == 0)
		error = add_fields(object, line);
	if (error == 0 && line->repeated > 0)
		error = json_object_set_new(object, "repeated", json_integer(line->repeated));
	if (error == 0)
		return object;
	json_decref(object);
	return NULL;
}

char *log_line_json(const struct log_line *line)
{
	json_t *object = describe(line);
	char *text = json_line(object);

	json_decref(object);
	return text;
}
