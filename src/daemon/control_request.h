/* control_request.h - what adoptctl asks for: a JSON object a line, see adoptctl(1) */
#ifndef DAEMON_CONTROL_REQUEST_H
#define DAEMON_CONTROL_REQUEST_H

#include "support/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The one version that there is. */
#define CONTROL_VERSION 1

/* The longest request, its line feed included. */
#define CONTROL_REQUEST_BYTES 4096

/* How many connections a reply lists at most, and where nothing is said. */
#define CONTROL_PAGE_MAX 1000
#define CONTROL_PAGE 500

enum control_command {
	CONTROL_STATUS,
	CONTROL_PORTS,
	CONTROL_CONNECTIONS,
	CONTROL_UPSTREAMS,
	CONTROL_KILL,
	CONTROL_DRAIN,
	CONTROL_UNDRAIN,
	CONTROL_RELOAD,
	CONTROL_LOG_LEVEL,
};

struct control_request {
	enum control_command command;
	uint64_t id;    /* of kill */
	uint64_t after; /* of connections: those with a greater id */
	uint64_t limit; /* of connections: so many, from 1 to CONTROL_PAGE_MAX */
	char *port;     /* of drain and undrain; NULL for all */
	enum log_level level;
};

/* Why a request is refused. */
struct control_problem {
	const char *code; /* as adoptctl(1) lists them */
	char text[160];
};

/*
 * Reads a request. A member that its command does not take is a fault: what was meant
 * might matter.
 * line, length: without the line feed.
 * ret: end it with control_request_done().
 * Returns 0; -EINVAL, with ret_problem; -ENOMEM.
 */
int control_request_read(const char *line, size_t length, struct control_request *ret,
			 struct control_problem *ret_problem);
void control_request_done(struct control_request *request);

#endif
