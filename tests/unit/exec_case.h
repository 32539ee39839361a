/* exec_case.h - what the tests of processes share: a block, its host, and what it logs */
#ifndef UNIT_EXEC_CASE_H
#define UNIT_EXEC_CASE_H

#include "handlers/exec.h"
#include "harness.h"
#include "log_capture.h"

/* The block's, in the reactor of the test. */
extern struct host host;

/* A test case whose log is captured, and which ends with nothing left of its block. */
TCase *exec_case(const char *name);

/* Reads a block without a fault, written as between its braces. Returns its settings. */
const struct handler_settings *read_block(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* A block that runs a command of the shell; more: its other options. */
const struct handler_settings *read_shell(const char *command, const char *more);

/* Reads what comes on a descriptor, while the loop runs, until it ends or this is in it.
 * Returns all of it: a string that the next call replaces. */
const char *hear(int fd, const char *until);

#endif
