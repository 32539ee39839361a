/* quote.h - values in the syntax of adoptd.conf */
#ifndef SUPPORT_QUOTE_H
#define SUPPORT_QUOTE_H

#include <stdio.h>

/* Writes a value between double quotes, such that adoptd.conf(5) takes it back byte by
 * byte, and on one line whatever it holds. */
void quote_print(const char *text, FILE *stream);

#endif
