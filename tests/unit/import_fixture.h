/* import_fixture.h - texts that are imported as adoptctl does, with made_up_names.h */
#ifndef IMPORT_FIXTURE_H
#define IMPORT_FIXTURE_H

#include "adoptctl/kind.h"

#include <check.h>

/* What has been imported last: all files as adoptctl prints them, and what is said of them
 * on stderr. */
extern char *imported;
extern char *said;

/* Imports a text that is called `conf`. */
void import_text(enum kind kind, const char *text);

/* Asserts that the imported files hold a text; shows them where they do not. */
void assert_imported(const char *text);
/* Asserts that it was said. */
void assert_said(const char *text);

/* Frees what was imported. */
void import_teardown(void);

#endif
