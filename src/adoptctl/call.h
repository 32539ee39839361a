/* call.h - questions to a running adoptd, and its answers: see the protocol in adoptctl(1) */
#ifndef ADOPTCTL_CALL_H
#define ADOPTCTL_CALL_H

#include "command.h"

#include <jansson.h>

struct call;

/*
 * Connects to the control socket: the option's, that of ADOPTD_CONTROL, or adoptd's own.
 * command: what complaints begin with.
 * ret: end it with call_close().
 * Returns COMMAND_OK, or the exit code, having said what is wrong.
 */
enum command_exit call_open(const struct command_options *options, const char *command,
			    struct call **ret);

/* Ends it and sets it NULL; NULL inside is harmless. */
void call_close(struct call **call);

/*
 * Asks, and waits for the answer.
 * request: its members, but for the version and the command. Is given up; NULL, which is
 * what jansson makes where memory is short, is said to be that.
 * ret_data: of an answer, to be given up; may be NULL where there is nothing to tell.
 * Returns COMMAND_OK, or the exit code, having said what is wrong. What the answer says of
 * the configuration has been said in either case.
 */
enum command_exit call_ask(struct call *call, json_t *request, json_t **ret_data);

/* Does all three. */
enum command_exit call_once(const struct command_options *options, const char *command,
			    json_t *request, json_t **ret_data);

/* Prints JSON as a line. */
void call_print_json(const json_t *data);

#endif
