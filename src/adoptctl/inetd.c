#include "inetd.h"

#include "inetd_entry.h"
#include "lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Adds what an entry says, and begins a new one. */
static int finish(struct inetd_entry *entry, struct services *services)
{
	struct service *service = NULL;
	int error = 0;

	if (entry->words.count > 0 && !entry->broken)
		error = inetd_entry_read(entry, &service);
	if (service)
		error = services_add(services, &service);
	service_free(&service);
	words_done(&entry->words);
	entry->broken = false;
	if (error == -E2BIG)
		fault_add(entry->faults, FAULT_ERROR, entry->file, entry->line,
			  "left out: it is too long, or there are too many services");
	return error == -ENOMEM ? error : 0;
}

static int add_line(struct inetd_entry *entry, const struct line *line, int number)
{
	int error = words_split(&entry->words, line->text, line->length, true);

	if (error == -ENOMEM)
		return error;
	if (error < 0) {
		fault_add(entry->faults, FAULT_ERROR, entry->file, number,
			  error == -E2BIG ? "left out: it has too many words"
					  : "left out: a quote in it is never closed");
		entry->broken = true;
	}
	return 0;
}

int inetd_read(const char *text, size_t length, const char *file, const struct names *names,
	       struct faults *faults, struct services *services)
{
	struct inetd_entry entry = {.file = file, .names = names, .faults = faults};
	struct lines lines = {.at = text, .end = text + length};
	struct line line;
	int error = 0;

	while (error == 0 && lines_next(&lines, &line)) {
		char first = line_first(&line);

		/* What begins with a blank goes on with the entry before it. */
		if (line.length == 0 || first == line.text[0]) {
			error = finish(&entry, services);
			entry.line = lines.number;
		}
		if (error == 0 && first != '#' && first != '\0')
			error = add_line(&entry, &line, lines.number);
	}
	if (error == 0)
		error = finish(&entry, services);
	words_done(&entry.words);
	free(entry.default_hosts);
	return error;
}
