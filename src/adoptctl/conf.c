#include "conf.h"

#include <errno.h>
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

int conf_write(const struct services *services, const struct blocks *blocks, struct output *output)
{
	FILE *stream = output_begin(output, CONF_NAME);

	if (!stream)
		return -ENOMEM;
	fputs("# Imported by adoptctl(1); adoptd.conf(5) describes it.\n", stream);
	write_comment("Disabled there, and not imported:", &services->disabled, stream);
	if (services->access_log)
		fputs("\naccess-log = true\n", stream);
	for (size_t i = 0; i < blocks->count; i++) {
		const struct block *block = &blocks->items[i];

		fputc('\n', stream);
		write_comment("As in", &block->sources, stream);
		fprintf(stream, "port \"%s\" {\n%s}\n", block->name, block->body);
	}
	return 0;
}
