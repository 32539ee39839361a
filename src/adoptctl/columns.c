#include "columns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GAP 2

struct columns {
	const struct column *heads;
	size_t count;
	size_t *widths; /* of each */
	char **cells;   /* row by row */
	size_t used, room;
};

int columns_new(const struct column *heads, size_t count, struct columns **ret)
{
	struct columns *columns = calloc(1, sizeof *columns);

	if (!columns)
		return -ENOMEM;
	*columns = (struct columns){
		.heads = heads, .count = count, .widths = calloc(count, sizeof *columns->widths)};
	if (!columns->widths) {
		free(columns);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++)
		columns->widths[i] = strlen(heads[i].head);
	*ret = columns;
	return 0;
}

void columns_free(struct columns **gone)
{
	struct columns *columns = *gone;

	*gone = NULL;
	if (!columns)
		return;
	for (size_t i = 0; i < columns->used; i++)
		free(columns->cells[i]);
	free(columns->cells);
	free(columns->widths);
	free(columns);
}

static char *show(const char *text)
{
	char *shown = malloc(4 * strlen(text) + 1), *to = shown;

	if (!shown)
		return NULL;
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte < 0x20 || byte == 0x7f)
			to += sprintf(to, "\\x%02X", byte);
		else
			*to++ = (char)byte;
	}
	*to = '\0';
	return shown;
}

/* Of UTF-8, the characters: continuation bytes take no room. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static int reserve_row(struct columns *columns)
{
	size_t room = columns->room ? 2 * columns->room : 16 * columns->count;
	char **cells;

	if (columns->used + columns->count <= columns->room)
		return 0;
	cells = realloc(columns->cells, room * sizeof *cells);
	if (!cells)
		return -ENOMEM;
	columns->cells = cells;
	columns->room = room;
	return 0;
}

int columns_add(struct columns *columns, const char *const *cells)
{
	size_t i;

	if (reserve_row(columns) < 0)
		return -ENOMEM;
	for (i = 0; i < columns->count; i++) {
		char *cell = show(cells[i]);

		if (!cell)
			goto out;
		columns->cells[columns->used + i] = cell;
		if (width_of(cell) > columns->widths[i])
			columns->widths[i] = width_of(cell);
	}
	columns->used += columns->count;
	return 0;
out:
	while (i-- > 0)
		free(columns->cells[columns->used + i]);
	return -ENOMEM;
}

/* Nothing stands behind the last that is not empty. */
static void print_cell(const struct columns *columns, size_t i, const char *cell, bool last,
		       FILE *stream)
{
	int gap = (int)(columns->widths[i] - width_of(cell));

	if (columns->heads[i].right)
		fprintf(stream, "%*s%s", gap, "", cell);
	else
		fprintf(stream, "%s%*s", cell, last ? 0 : gap, "");
	if (!last)
		fprintf(stream, "%*s", GAP, "");
}

void columns_print(const struct columns *columns, FILE *stream)
{
	for (size_t i = 0; i < columns->count; i++)
		print_cell(columns, i, columns->heads[i].head, i == columns->count - 1, stream);
	fputc('\n', stream);
	for (size_t i = 0; i < columns->used; i++) {
		bool last = i % columns->count == columns->count - 1;

		print_cell(columns, i % columns->count, columns->cells[i], last, stream);
		if (last)
			fputc('\n', stream);
	}
}
