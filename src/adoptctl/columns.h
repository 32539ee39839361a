/* columns.h - a table for people: each column as wide as it must be */
#ifndef ADOPTCTL_COLUMNS_H
#define ADOPTCTL_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct columns;

/* One column. */
struct column {
	const char *head;
	bool right; /* its cells stand to the right, as numbers do */
};

/*
 * Makes a table without rows.
 * heads: count of them, which outlive it.
 * ret: free with columns_free().
 * Returns 0 or -ENOMEM.
 */
int columns_new(const struct column *heads, size_t count, struct columns **ret);
void columns_free(struct columns **columns);

/*
 * Adds a row. Control characters in its cells are shown as `\\xNN`.
 * cells: as many as there are heads; copied.
 * Returns 0 or -ENOMEM.
 */
int columns_add(struct columns *columns, const char *const *cells);

/* Prints the heads and all rows. */
void columns_print(const struct columns *columns, FILE *stream);

#endif
