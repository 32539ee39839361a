#include "option.h"

#include "value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libconfuse knows the place of a block only; an option has room for a comment,
 * which no configuration of ours uses otherwise. It holds `LINE FILE`. */
int option_set_place(cfg_t *section, const char *name, const char *file, int line)
{
	size_t size = strlen(file) + 16;
	char *place = malloc(size);
	int result;

	if (!place)
		return -ENOMEM;
	snprintf(place, size, "%d %s", line, file);
	result = cfg_setcomment(section, name, place);
	free(place);
	return result == CFG_SUCCESS ? 0 : -ENOMEM;
}

int option_line(cfg_t *section, const char *name)
{
	const char *place = cfg_getcomment(section, name);

	return place ? atoi(place) : section->line;
}

const char *option_file(cfg_t *section, const char *name)
{
	const char *place = cfg_getcomment(section, name);

	return place ? strchr(place, ' ') + 1 : section->filename;
}

__attribute__((format(printf, 5, 0))) static void add(cfg_t *section, const char *name,
						      struct faults *faults,
						      enum fault_severity severity,
						      const char *format, va_list args)
{
	char message[512];

	vsnprintf(message, sizeof message, format, args);
	fault_add(faults, severity, option_file(section, name), option_line(section, name),
		  "%s: %s", name, message);
}

void option_fault(cfg_t *section, const char *name, struct faults *faults, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(section, name, faults, FAULT_ERROR, format, args);
	va_end(args);
}

void option_warn(cfg_t *section, const char *name, struct faults *faults, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(section, name, faults, FAULT_WARNING, format, args);
	va_end(args);
}

int option_duration(cfg_t *section, const char *name, struct faults *faults, uint64_t *ret_ms)
{
	const char *text = cfg_getstr(section, name);
	int error = value_duration(text, ret_ms);

	if (error == -ERANGE)
		option_fault(section, name, faults, "\"%s\" is longer than a year", text);
	else if (error)
		option_fault(
			section, name, faults,
			"\"%s\" is no duration; write one as 250ms, 3s, 5m or 1h, or 0 for never",
			text);
	return error ? -EINVAL : 0;
}

int option_size(cfg_t *section, const char *name, size_t min, size_t max, struct faults *faults,
		size_t *ret_bytes)
{
	const char *text = cfg_getstr(section, name);
	size_t bytes = 0;
	int error = value_size(text, &bytes);

	if (error == -EINVAL) {
		option_fault(section, name, faults,
			     "\"%s\" is no size; write one in bytes, or as 64K or 1M", text);
		return -EINVAL;
	}
	if (error || bytes < min || bytes > max) {
		option_fault(section, name, faults, "%s is out of range; it is from %zu to %zu",
			     text, min, max);
		return -EINVAL;
	}
	*ret_bytes = bytes;
	return 0;
}

int option_number(cfg_t *section, const char *name, uint64_t min, uint64_t max,
		  struct faults *faults, uint64_t *ret)
{
	const char *text = cfg_getstr(section, name);
	int error = value_number(text, min, max, ret);

	if (error == -ERANGE)
		option_fault(section, name, faults,
			     "%s is out of range; it is from %" PRIu64 " to %" PRIu64, text, min,
			     max);
	else if (error)
		option_fault(section, name, faults, "\"%s\" is not a number", text);
	return error ? -EINVAL : 0;
}

void option_refuse_word(cfg_t *section, const char *name, const char *const *words,
			struct faults *faults)
{
	const char *text = cfg_getstr(section, name);
	const char *suggestion = value_suggest(text, words);
	char list[128] = "";
	size_t used = 0;

	if (suggestion) {
		option_fault(section, name, faults, "unknown value \"%s\"; did you mean \"%s\"?",
			     text, suggestion);
		return;
	}
	for (; *words && used < sizeof list; words++)
		used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "",
					 *words);
	option_fault(section, name, faults, "unknown value \"%s\"; it is one of %s", text, list);
}

int option_word(cfg_t *section, const char *name, const char *const *words, struct faults *faults,
		size_t *ret)
{
	const char *text = cfg_getstr(section, name);

	for (size_t i = 0; words[i]; i++)
		if (strcmp(text, words[i]) == 0) {
			*ret = i;
			return 0;
		}
	option_refuse_word(section, name, words, faults);
	return -EINVAL;
}
