/* kind.h - which daemon a configuration is for */
#ifndef ADOPTCTL_KIND_H
#define ADOPTCTL_KIND_H

#include <stddef.h>

enum kind {
	KIND_INETD,
	KIND_XINETD,
};

/* Reads the name of a kind. Returns 0 or -EINVAL. */
int kind_parse(const char *text, enum kind *ret);

/*
 * Tells a configuration's kind by what its first line says that is no comment; without
 * any, by the name of the file.
 * text, length: what is in the file.
 */
enum kind kind_guess(const char *text, size_t length, const char *name);

#endif
