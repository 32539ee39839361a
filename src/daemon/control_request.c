#include "control_request.h"

#include "support/value.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The members of a request, besides version and command. */
enum member {
	MEMBER_ID = 1 << 0,
	MEMBER_AFTER = 1 << 1,
	MEMBER_LIMIT = 1 << 2,
	MEMBER_PORT = 1 << 3,
	MEMBER_LEVEL = 1 << 4,
};

/* In the order of their enumeration. */
static const struct {
	const char *name;
	unsigned allowed;
	unsigned required;
} commands[] = {
	{"status", 0, 0},
	{"ports", 0, 0},
	{"connections", MEMBER_AFTER | MEMBER_LIMIT, 0},
	{"upstreams", 0, 0},
	{"kill", MEMBER_ID, MEMBER_ID},
	{"drain", MEMBER_PORT, 0},
	{"undrain", MEMBER_PORT, 0},
	{"reload", 0, 0},
	{"log-level", MEMBER_LEVEL, MEMBER_LEVEL},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static int refuse(struct control_problem *problem, const char *code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(struct control_problem *problem, const char *code, const char *format, ...)
{
	va_list args;

	problem->code = code;
	va_start(args, format);
	vsnprintf(problem->text, sizeof problem->text, format, args);
	va_end(args);
	return -EINVAL;
}

/* --- members --- */

static int read_number(const json_t *value, uint64_t min, uint64_t max, uint64_t *ret)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 0 || (uint64_t)number < min ||
	    (uint64_t)number > max)
		return -EINVAL;
	*ret = (uint64_t)number;
	return 0;
}

static int read_id(const json_t *value, struct control_request *request)
{
	return read_number(value, 1, INT64_MAX, &request->id);
}

static int read_after(const json_t *value, struct control_request *request)
{
	return read_number(value, 0, INT64_MAX, &request->after);
}

static int read_limit(const json_t *value, struct control_request *request)
{
	return read_number(value, 1, CONTROL_PAGE_MAX, &request->limit);
}

static int read_port(const json_t *value, struct control_request *request)
{
	if (!json_is_string(value))
		return -EINVAL;
	request->port = strdup(json_string_value(value));
	return request->port ? 0 : -ENOMEM;
}

static int read_level(const json_t *value, struct control_request *request)
{
	return json_is_string(value) ? log_level_parse(json_string_value(value), &request->level)
				     : -EINVAL;
}

static const struct {
	const char *name;
	enum member member;
	int (*read)(const json_t *value, struct control_request *request);
	const char *kind;
} members[] = {
	{"id", MEMBER_ID, read_id, "the number of a connection"},
	{"after", MEMBER_AFTER, read_after, "the number of a connection, or 0"},
	{"limit", MEMBER_LIMIT, read_limit, "a number from 1 to 1000"},
	{"port", MEMBER_PORT, read_port, "the name of a port"},
	{"level", MEMBER_LEVEL, read_level, "error, warning, notice, info or debug"},
};

#define MEMBERS (sizeof members / sizeof members[0])

/* --- the request --- */

static int read_version(const json_t *object, struct control_problem *problem)
{
	const json_t *version = json_object_get(object, "version");

	if (json_is_integer(version) && json_integer_value(version) == CONTROL_VERSION)
		return 0;
	return refuse(problem, "version", "only version %d is known", CONTROL_VERSION);
}

static int read_command(const json_t *object, struct control_request *request,
			struct control_problem *problem)
{
	const char *name = json_string_value(json_object_get(object, "command"));
	const char *names[COMMANDS + 1] = {NULL};
	const char *meant;

	if (!name)
		return refuse(problem, "request", "command: a name is missing");
	for (size_t i = 0; i < COMMANDS; i++) {
		names[i] = commands[i].name;
		if (strcmp(commands[i].name, name) == 0) {
			request->command = (enum control_command)i;
			return 0;
		}
	}
	meant = value_suggest(name, names);
	return refuse(problem, "command", "there is no command \"%.60s\"%s%s%s", name,
		      meant ? "; did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "");
}

static int read_member(const char *name, const json_t *value, struct control_request *request,
		       unsigned *given, struct control_problem *problem)
{
	const char *command = commands[request->command].name;
	int error;

	if (strcmp(name, "version") == 0 || strcmp(name, "command") == 0)
		return 0;
	for (size_t i = 0; i < MEMBERS; i++) {
		if (strcmp(members[i].name, name) != 0 ||
		    !(commands[request->command].allowed & members[i].member))
			continue;
		error = members[i].read(value, request);
		if (error == -EINVAL)
			return refuse(problem, "request", "%s: not %s", name, members[i].kind);
		*given |= members[i].member;
		return error;
	}
	return refuse(problem, "request", "%s takes no \"%.60s\"", command, name);
}

static int read_members(json_t *object, struct control_request *request,
			struct control_problem *problem)
{
	unsigned given = 0, missing;
	const char *name;
	json_t *value;
	int error;

	json_object_foreach(object, name, value)
	{
		error = read_member(name, value, request, &given, problem);
		if (error < 0)
			return error;
	}
	missing = commands[request->command].required & ~given;
	for (size_t i = 0; i < MEMBERS; i++)
		if (missing & members[i].member)
			return refuse(problem, "request", "%s: %s is missing",
				      commands[request->command].name, members[i].name);
	return 0;
}

int control_request_read(const char *line, size_t length, struct control_request *ret,
			 struct control_problem *ret_problem)
{
	struct control_request request = {.limit = CONTROL_PAGE};
	json_error_t fault;
	json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, &fault);
	int error;

	if (!json_is_object(object)) {
		json_decref(object);
		return refuse(ret_problem, "request", "this is no JSON object%s%.80s",
			      object ? "" : ": ", object ? "" : fault.text);
	}
	error = read_version(object, ret_problem);
	if (error == 0)
		error = read_command(object, &request, ret_problem);
	if (error == 0)
		error = read_members(object, &request, ret_problem);
	json_decref(object);
	if (error < 0)
		control_request_done(&request);
	else
		*ret = request;
	return error;
}

void control_request_done(struct control_request *request)
{
	free(request->port);
	request->port = NULL;
}
