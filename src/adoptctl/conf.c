#include "conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS 78

/* Writes words as a comment of as many lines as they need. */
static void write_comment(const char *title, const struct words *words, FILE *stream)
{
	size_t column = strlen(title) + 2;

	if (words->count == 0)
		return;
	fprintf(stream, "# %s", title);
	for (size_t i = 0; i < words->count; i++) {
		column += strlen(words->items[i]) + 1;
		if (column > COLUMNS) {
			column = strlen(words->items[i]) + 3;
			fputs("\n#  ", stream);
		}
		fputc(' ', stream);
		for (const char *at = words->items[i]; *at; at++)
			fputc(*at >= ' ' && *at < 0x7f ? *at : '?', stream);
	}
	fputc('\n', stream);
}

static void write_block(const struct block *block, FILE *stream)
{
	fputc('\n', stream);
	write_comment("As in", &block->sources, stream);
	fprintf(stream, "port \"%s\" {\n%s}\n", block->name, block->body);
}

static int write_ports(const struct blocks *blocks, size_t unit, struct output *output)
{
	const char *name = blocks->units[unit].name;
	char *file = NULL;
	FILE *stream = NULL;

	if (asprintf(&file, "%s.ports", name) >= 0)
		stream = output_begin(output, file);
	free(file);
	if (!stream)
		return -ENOMEM;
	fprintf(stream, "# The ports of %s.service\n", name);
	for (size_t i = 0; i < blocks->count; i++)
		if (blocks->items[i].unit == unit)
			write_block(&blocks->items[i], stream);
	return 0;
}

int conf_write(const struct services *services, const struct blocks *blocks, struct output *output)
{
	FILE *stream = output_begin(output, CONF_NAME);
	int error = 0;

	if (!stream)
		return -ENOMEM;
	fputs("# Imported by adoptctl(1); adoptd.conf(5) describes it.\n", stream);
	write_comment("Disabled there, and not imported:", &services->disabled, stream);
	if (services->access_log)
		fputs("\naccess-log = true\n", stream);
	if (blocks->unit_count <= 1) {
		for (size_t i = 0; i < blocks->count; i++)
			write_block(&blocks->items[i], stream);
		return 0;
	}
	fputs("\n# Each service unit has its own ports; by hand, it is all of them.\n"
	      "include(\"${" CONF_VARIABLE ":-*}.ports\")\n",
	      stream);
	for (size_t i = 0; error == 0 && i < blocks->unit_count; i++)
		error = write_ports(blocks, i, output);
	return error;
}
