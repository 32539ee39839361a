/* control_answer.h - what adoptctl is told: a JSON object a line, see adoptctl(1) */
#ifndef DAEMON_CONTROL_ANSWER_H
#define DAEMON_CONTROL_ANSWER_H

#include <jansson.h>

/* Initialize with zeros, end with control_answer_done(). */
struct control_answer {
	json_t *data;     /* what there is to tell; NULL: nothing */
	const char *code; /* of a failure; NULL: there is none */
	char error[160];  /* what has failed, for people */
	json_t *faults;   /* lines about the configuration; NULL: none */
};

/* Makes it the answer of a failure. code: as adoptctl(1) lists them. */
void control_fail(struct control_answer *answer, const char *code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Makes it a failure where memory was short: data is missing, or `error` says so. Any
 * other negative errno is a failure of the system. */
void control_check(struct control_answer *answer, int error);

/* Writes it as a line. Returns it, malloc'ed, with its line feed; NULL where memory is
 * short. */
char *control_answer_line(const struct control_answer *answer);

void control_answer_done(struct control_answer *answer);

#endif
