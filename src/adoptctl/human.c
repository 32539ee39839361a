#include "human.h"

#include <stdio.h>
#include <string.h>

static const char *write_none(char text[HUMAN_SIZE])
{
	strcpy(text, "-");
	return text;
}

const char *human_bytes(const json_t *object, const char *member, char text[HUMAN_SIZE])
{
	static const char units[] = "KMGTPE";
	const json_t *value = json_object_get(object, member);
	double bytes = (double)json_integer_value(value);
	size_t unit = 0;

	if (!json_is_integer(value))
		return write_none(text);
	if (bytes < 1024) {
		snprintf(text, HUMAN_SIZE, "%.0f", bytes);
		return text;
	}
	/* What would be written as 1024 is 1.0 of the next. */
	for (bytes /= 1024; bytes >= 1023.95 && units[unit + 1]; unit++)
		bytes /= 1024;
	snprintf(text, HUMAN_SIZE, "%.1f%c", bytes, units[unit]);
	return text;
}

const char *human_span(const json_t *object, const char *member, char text[HUMAN_SIZE])
{
	const json_t *value = json_object_get(object, member);
	long long ms = json_integer_value(value), s = ms / 1000;

	if (!json_is_integer(value))
		return write_none(text);
	if (s == 0)
		snprintf(text, HUMAN_SIZE, "%lldms", ms);
	else if (s < 60)
		snprintf(text, HUMAN_SIZE, "%llds", s);
	else if (s < 3600)
		snprintf(text, HUMAN_SIZE, "%lldm%02llds", s / 60, s % 60);
	else if (s < 24 * 3600)
		snprintf(text, HUMAN_SIZE, "%lldh%02lldm", s / 3600, s / 60 % 60);
	else
		snprintf(text, HUMAN_SIZE, "%lldd%02lldh", s / 86400, s / 3600 % 24);
	return text;
}

const char *human_number(const json_t *object, const char *member, char text[HUMAN_SIZE])
{
	const json_t *value = json_object_get(object, member);

	if (!json_is_integer(value))
		return write_none(text);
	snprintf(text, HUMAN_SIZE, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return text;
}

const char *human_rate(const json_t *object, const char *member, char text[HUMAN_SIZE])
{
	const json_t *value = json_object_get(object, member);
	double rate = json_number_value(value);

	if (!json_is_number(value))
		return write_none(text);
	snprintf(text, HUMAN_SIZE, rate > 0 && rate < 9.95 ? "%.1f" : "%.0f", rate);
	return text;
}

/* What has no room is left out, with a sign that it is. */
const char *human_list(const json_t *object, const char *member, char text[HUMAN_SIZE])
{
	const json_t *array = json_object_get(object, member);
	size_t used = 0, count = json_array_size(array);

	text[0] = '\0';
	for (size_t i = 0; i < count;) {
		long long first = json_integer_value(json_array_get(array, i)), last = first;
		char range[HUMAN_SIZE];
		int length;

		while (++i < count && json_integer_value(json_array_get(array, i)) == last + 1)
			last++;
		length = snprintf(range, sizeof range, first == last ? "%s%lld" : "%s%lld-%lld",
				  used ? "," : "", first, last);
		if (used + (size_t)length + sizeof ",..." > HUMAN_SIZE) {
			strcpy(text + used, ",...");
			return text;
		}
		strcpy(text + used, range);
		used += (size_t)length;
	}
	return count ? text : write_none(text);
}

const char *human_time(const json_t *object, const char *member, char text[HUMAN_SIZE])
{
	const char *time = json_string_value(json_object_get(object, member));

	if (!time)
		return write_none(text);
	/* RFC 3339: the date, a T, the time, perhaps a fraction, the zone. */
	snprintf(text, HUMAN_SIZE, "%.10s %.8sZ", time, strlen(time) > 11 ? time + 11 : "");
	return text;
}

const char *human_text(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "-";
}
