/* activation_case.h - what the tests of the givers share: each in a process of its own (Check
 * forks), as they change the environment and the lowest descriptors */
#ifndef UNIT_ACTIVATION_CASE_H
#define UNIT_ACTIVATION_CASE_H

#include "activation/activation.h"

#include <check.h>

/* The descriptors below are the tests' to fill. Check's own files would lie where
 * systemd's descriptors do, so main() takes these numbers before Check opens any. */
#define FREE_NUMBERS 40

/* Where place_connection() leaves the other end. */
#define PEER 19

/* What was collected, and what was wrong. */
extern struct inherited_list list;
extern char *message;

/* Takes the free numbers, for main(). */
void activation_take_numbers(void);

/* Adds a case with the fixture that frees them, and empties the list. */
TCase *activation_add_case(Suite *suite, const char *name);

/* Runs the suite. Returns main()'s exit code. */
int activation_run(Suite *suite);

/* Moves a descriptor to a number of the test's choice. */
void place(int from, int number);

/* Make a listening socket, and one end of a connection, at such a number. */
void place_listener(int number);
void place_connection(int number);

/* Asks all givers, with --fd options (NULL-terminated) or without. */
int collect_with(const char *const *fd_options);
int collect(void);

/* Asserts what was collected as the i-th: ready for adoption. */
void assert_item(size_t i, const char *name, int number, const char *source);

/* Asserts an error, and a part of the message. */
void assert_failed(int error, int wanted, const char *part);

#endif
