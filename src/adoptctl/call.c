#include "call.h"

#include "adopt/adopt.h"
#include "support/json_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PROTOCOL_VERSION 1

/* How long adoptd may be silent. Reloading may wait for name servers. */
#define TIMEOUT_SECONDS 60

/* Where there is no such flag, SIGPIPE says that adoptd has gone. */
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

struct call {
	const char *command;
	char path[sizeof((struct sockaddr_un *)NULL)->sun_path];
	FILE *stream; /* of its answers */
};

static enum command_exit fail(const struct call *call, enum command_exit code, const char *format,
			      ...) __attribute__((format(printf, 3, 4)));

static enum command_exit fail(const struct call *call, enum command_exit code, const char *format,
			      ...)
{
	va_list args;

	fprintf(stderr, "adoptctl %s: ", call->command);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return code;
}

/* --- connecting --- */

/* A word without a slash is the instance of adoptd@.service. */
static int find_path(const struct command_options *options, char *path, size_t size)
{
	const char *text = options->socket ? options->socket : getenv("ADOPTD_CONTROL");
	int length;

	if (!text || !*text)
		length = snprintf(path, size, "%s", RUNDIR "/adoptd/control");
	else if (strchr(text, '/'))
		length = snprintf(path, size, "%s", text);
	else
		length = snprintf(path, size, RUNDIR "/adoptd/%s/control", text);
	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

static int connect_to(const char *path, int *ret)
{
	const struct timeval patience = {.tv_sec = TIMEOUT_SECONDS};
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd, error = adopt_socket_create(AF_UNIX, SOCK_STREAM, &fd);

	if (error < 0)
		return error;
	strcpy(name.sun_path, path);
	/* It waits, but not for ever. */
	fcntl(fd, F_SETFL, 0);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (connect(fd, (const struct sockaddr *)&name, sizeof name) < 0) {
		error = -errno;
		close(fd);
		return error;
	}
	*ret = fd;
	return 0;
}

static enum command_exit refuse_connection(const struct call *call, int error)
{
	switch (error) {
	case -ENOENT:
		return fail(call, COMMAND_UNAVAILABLE,
			    "there is no %s: adoptd does not run, or not with this as `control`",
			    call->path);
	case -ECONNREFUSED:
		return fail(call, COMMAND_UNAVAILABLE, "nobody answers at %s: adoptd does not run",
			    call->path);
	case -EACCES:
	case -EPERM:
		return fail(call, COMMAND_PERMISSION, "%s: %s", call->path, strerror(-error));
	default:
		return fail(call, COMMAND_UNAVAILABLE, "%s: %s", call->path, strerror(-error));
	}
}

enum command_exit call_open(const struct command_options *options, const char *command,
			    struct call **ret)
{
	struct call *call = calloc(1, sizeof *call);
	enum command_exit code = COMMAND_OK;
	int fd = -1, error;

	if (!call) {
		perror("adoptctl");
		return COMMAND_SYSTEM;
	}
	call->command = command;
	if (find_path(options, call->path, sizeof call->path) < 0)
		code = fail(call, COMMAND_USAGE, "the socket's name is too long");
	error = code == COMMAND_OK ? connect_to(call->path, &fd) : 0;
	if (error < 0)
		code = refuse_connection(call, error);
	if (code == COMMAND_OK) {
		call->stream = fdopen(fd, "r");
		if (!call->stream) {
			code = fail(call, COMMAND_SYSTEM, "%s", strerror(errno));
			close(fd);
		}
	}
	if (code == COMMAND_OK)
		*ret = call;
	else
		free(call);
	return code;
}

void call_close(struct call **gone)
{
	struct call *call = *gone;

	*gone = NULL;
	if (!call)
		return;
	fclose(call->stream);
	free(call);
}

/* --- asking --- */

static int send_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(fd, text, length, MSG_NOSIGNAL);

		if (sent < 0 && errno != EINTR)
			return -errno;
		if (sent > 0) {
			text += sent;
			length -= (size_t)sent;
		}
	}
	return 0;
}

static int send_request(const struct call *call, json_t *request)
{
	char *line = NULL;
	int error = -ENOMEM;

	if (json_object_set_new(request, "version", json_integer(PROTOCOL_VERSION)) == 0 &&
	    json_object_set_new(request, "command", json_string(call->command)) == 0)
		line = json_line(request);
	if (line)
		error = send_all(fileno(call->stream), line, strlen(line));
	free(line);
	return error;
}

static enum command_exit receive_answer(const struct call *call, json_t **ret)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	json_t *answer;

	errno = 0;
	length = getline(&line, &size, call->stream);
	if (length < 0) {
		free(line);
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return fail(call, COMMAND_UNAVAILABLE, "adoptd does not answer");
		return fail(call, COMMAND_UNAVAILABLE, "adoptd has gone without an answer");
	}
	answer = json_loadb(line, (size_t)length, JSON_REJECT_DUPLICATES, NULL);
	free(line);
	if (json_is_object(answer) &&
	    json_integer_value(json_object_get(answer, "version")) == PROTOCOL_VERSION) {
		*ret = answer;
		return COMMAND_OK;
	}
	json_decref(answer);
	return fail(call, COMMAND_PROTOCOL, "%s does not speak as adoptd does", call->path);
}

static enum command_exit exit_of(const char *code)
{
	static const struct {
		const char *code;
		enum command_exit exit;
	} exits[] = {
		{"not-found", COMMAND_NOT_FOUND},
		{"configuration", COMMAND_CONFIG},
		{"busy", COMMAND_LATER},
		{"system", COMMAND_SYSTEM},
	};

	for (size_t i = 0; code && i < sizeof exits / sizeof exits[0]; i++)
		if (strcmp(exits[i].code, code) == 0)
			return exits[i].exit;
	return COMMAND_PROTOCOL;
}

static void print_faults(const json_t *faults)
{
	const json_t *fault;
	size_t i;

	json_array_foreach(faults, i, fault) fprintf(stderr, "%s\n", json_string_value(fault));
}

static enum command_exit judge(const struct call *call, const json_t *answer, json_t **ret_data)
{
	const char *error = json_string_value(json_object_get(answer, "error"));

	print_faults(json_object_get(answer, "faults"));
	if (!json_is_true(json_object_get(answer, "ok")))
		return fail(call, exit_of(json_string_value(json_object_get(answer, "code"))), "%s",
			    error ? error : "adoptd refuses, and does not say why");
	if (ret_data)
		*ret_data = json_incref(json_object_get(answer, "data"));
	return COMMAND_OK;
}

enum command_exit call_ask(struct call *call, json_t *request, json_t **ret_data)
{
	json_t *answer = NULL;
	int error = send_request(call, request);
	enum command_exit code;

	json_decref(request);
	if (error < 0)
		return fail(call, error == -ENOMEM ? COMMAND_SYSTEM : COMMAND_UNAVAILABLE, "%s",
			    strerror(-error));
	code = receive_answer(call, &answer);
	if (code == COMMAND_OK)
		code = judge(call, answer, ret_data);
	json_decref(answer);
	return code;
}

enum command_exit call_once(const struct command_options *options, const char *command,
			    json_t *request, json_t **ret_data)
{
	struct call *call = NULL;
	enum command_exit code = call_open(options, command, &call);

	if (code == COMMAND_OK)
		code = call_ask(call, request, ret_data);
	else
		json_decref(request);
	call_close(&call);
	return code;
}

void call_print_json(const json_t *data)
{
	json_dumpf(data, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
	putchar('\n');
}
