/* fuzz_import.h - fuzzing the readers of adoptctl import */
#ifndef FUZZ_IMPORT_H
#define FUZZ_IMPORT_H

#include "adoptctl/kind.h"

#include <stddef.h>
#include <stdint.h>

/* What libFuzzer calls; each target defines it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/*
 * Imports an input. Aborts unless adoptd takes the configuration that is made of it, and
 * its units consist of well-formed lines. Inputs that include files, or that adoptctl would
 * not hand to a reader, are left alone. Returns 0.
 */
int fuzz_import(enum kind kind, const uint8_t *data, size_t length);

#endif
