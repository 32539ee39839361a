#include "stderr_log.h"

#include "support/log.h"
#include "support/pipe.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Longer lines are cut into several. */
#define LINE_BYTES 1024

/* So many lines are logged in so long a time, and the rest is left out. */
#define WHILE_LINES 200
#define WHILE_MS 10000

/* Of whom nothing is logged anyway, one reading's worth is taken each time. */
#define REST_MS 100

#define READ_BYTES 16384

/* What may still be unread at the end: a pipe's worth. */
#define LAST_READINGS 64

struct stderr_log {
	struct adopt_watcher watcher;
	struct adopt_reactor *reactor;
	struct adopt_timer *rest;
	const char *name;
	void (*closed)(void *context);
	void *context;
	pid_t pid;
	unsigned lines;      /* logged in this while */
	uint64_t while_ends; /* by the reactor's clock */
	uint64_t left_out;   /* since the last that was logged */
	size_t length;
	char line[LINE_BYTES];
};

static void tell_left_out(struct stderr_log *log)
{
	if (log->left_out > 0)
		log_notice("exec: %s[%d]: %" PRIu64 " more lines are left out", log->name,
			   (int)log->pid, log->left_out);
	log->left_out = 0;
}

static bool has_said_too_much(const struct stderr_log *log)
{
	return log->lines >= WHILE_LINES;
}

static void begin_while(struct stderr_log *log)
{
	uint64_t now_ms = adopt_reactor_now_ms(log->reactor);

	if (now_ms < log->while_ends)
		return;
	tell_left_out(log);
	log->lines = 0;
	log->while_ends = now_ms + WHILE_MS;
}

static void end_line(struct stderr_log *log)
{
	size_t length = log->length;

	log->length = 0;
	if (length > 0 && log->line[length - 1] == '\r')
		length--;
	if (length == 0)
		return;
	if (has_said_too_much(log)) {
		log->left_out++;
		return;
	}
	log->lines++;
	log_notice("exec: %s[%d]: %.*s", log->name, (int)log->pid, (int)length, log->line);
}

static void hear(struct stderr_log *log, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '\n') {
			end_line(log);
			continue;
		}
		if (log->length == sizeof log->line)
			end_line(log);
		/* For the log, a NUL would be the end. */
		log->line[log->length++] = bytes[i] ? bytes[i] : ' ';
	}
}

/* Returns how many bytes there were, 0 at the end, or a negative errno. */
static ssize_t take(struct stderr_log *log)
{
	char bytes[READ_BYTES];
	ssize_t length;

	do
		length = read(log->watcher.fd, bytes, sizeof bytes);
	while (length < 0 && errno == EINTR);
	if (length < 0)
		return -errno;
	begin_while(log);
	hear(log, bytes, (size_t)length);
	return length;
}

static void readable(struct adopt_watcher *watcher)
{
	struct stderr_log *log = (struct stderr_log *)watcher;
	ssize_t length = take(log);

	if (length == -EAGAIN)
		return;
	if (length <= 0) {
		adopt_reader_remove(log->reactor, &log->watcher);
		log->closed(log->context);
	} else if (has_said_too_much(log)) {
		adopt_reader_remove(log->reactor, &log->watcher);
		adopt_timer_start(log->rest, REST_MS);
	}
}

static const struct adopt_watcher_ops ops = {.readable = readable};

static void rested(void *context)
{
	struct stderr_log *log = context;

	if (adopt_reader_add(log->reactor, &log->watcher) < 0)
		adopt_timer_start(log->rest, REST_MS);
}

int stderr_log_new(struct adopt_reactor *reactor, const char *name, void (*closed)(void *context),
		   void *context, int *ret_fd, struct stderr_log **ret)
{
	struct stderr_log *log = calloc(1, sizeof *log);
	int ends[2] = {-1, -1}, error;

	if (!log)
		return -ENOMEM;
	log->watcher = (struct adopt_watcher){.ops = &ops, .fd = -1};
	log->reactor = reactor;
	log->name = name;
	log->closed = closed;
	log->context = context;
	error = adopt_timer_new(reactor, rested, log, &log->rest);
	if (error == 0)
		error = pipe_open(ends);
	if (error == 0) {
		log->watcher.fd = ends[0];
		error = adopt_descriptor_prepare(ends[0]);
	}
	if (error < 0) {
		if (ends[1] >= 0)
			close(ends[1]);
		stderr_log_free(&log);
		return error;
	}
	*ret_fd = ends[1];
	*ret = log;
	return 0;
}

int stderr_log_listen(struct stderr_log *log, pid_t pid)
{
	log->pid = pid;
	return adopt_reader_add(log->reactor, &log->watcher);
}

void stderr_log_free(struct stderr_log **gone)
{
	struct stderr_log *log = *gone;

	*gone = NULL;
	if (!log)
		return;
	if (log->watcher.fd >= 0) {
		adopt_reader_remove(log->reactor, &log->watcher);
		for (int i = 0; i < LAST_READINGS && take(log) > 0; i++)
			;
		close(log->watcher.fd);
	}
	end_line(log);
	tell_left_out(log);
	adopt_timer_free(&log->rest);
	free(log);
}
