#include "log_line.h"
#include "repeats.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 2048

static atomic_int wanted = LOG_LEVEL_INFO;
static atomic_int sink = LOG_FORMAT_TEXT;

static const struct {
	const char *name;
	enum log_level level;
} levels[] = {
	{"error", LOG_LEVEL_ERROR}, {"warning", LOG_LEVEL_WARNING}, {"notice", LOG_LEVEL_NOTICE},
	{"info", LOG_LEVEL_INFO},   {"debug", LOG_LEVEL_DEBUG},
};

#define LEVELS (sizeof levels / sizeof levels[0])

int log_level_parse(const char *text, enum log_level *ret)
{
	for (size_t i = 0; i < LEVELS; i++)
		if (strcmp(text, levels[i].name) == 0) {
			*ret = levels[i].level;
			return 0;
		}
	return -EINVAL;
}

const char *log_level_name(enum log_level level)
{
	for (size_t i = 0; i < LEVELS; i++)
		if (levels[i].level == level)
			return levels[i].name;
	return "?";
}

int log_format_parse(const char *text, enum log_format *ret)
{
	static const struct {
		const char *name;
		enum log_format format;
	} formats[] = {
		{"auto", LOG_FORMAT_AUTO},
		{"journal", LOG_FORMAT_JOURNAL},
		{"text", LOG_FORMAT_TEXT},
		{"json", LOG_FORMAT_JSON},
	};

	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
		if (strcmp(text, formats[i].name) == 0) {
			*ret = formats[i].format;
			return 0;
		}
	return -EINVAL;
}

/* systemd.exec(5): JOURNAL_STREAM is `device:inode` of the journal's socket. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == (dev_t)device && st.st_ino == inode;
}

void log_set_level(enum log_level level)
{
	atomic_store(&wanted, (int)level);
}

enum log_level log_level_now(void)
{
	return (enum log_level)atomic_load(&wanted);
}

void log_set_format(enum log_format format)
{
	if (atomic_load(&sink) == LOG_FORMAT_SYSLOG)
		return;
	if (format == LOG_FORMAT_AUTO)
		format = stderr_is_journal() ? LOG_FORMAT_JOURNAL : LOG_FORMAT_TEXT;
	if (format == LOG_FORMAT_SYSLOG)
		openlog("adoptd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	atomic_store(&sink, (int)format);
}

bool log_wants(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&wanted, memory_order_relaxed);
}

/* --- forms --- */

/* What a peer sends may end up in a line: it must not look like another line. */
static void escape(char *to, size_t size, const char *from)
{
	size_t used = 0;

	for (; *from && used + 5 < size; from++) {
		unsigned char byte = (unsigned char)*from;

		if (byte < 0x20 || byte == 0x7f)
			used += (size_t)snprintf(to + used, size - used, "\\x%02X", byte);
		else
			to[used++] = (char)byte;
	}
	to[used] = '\0';
}

static void append(char text[LINE_BYTES], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Cuts what has no room. */
static void append(char text[LINE_BYTES], const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + used, LINE_BYTES - used, format, args);
	va_end(args);
}

static void describe(const struct log_line *line, char text[LINE_BYTES])
{
	text[0] = '\0';
	append(text, "%s", line->message);
	for (size_t i = 0; i < line->field_count; i++) {
		const struct log_field *field = &line->fields[i];

		if (!field->text)
			append(text, " %s=%llu", field->name, (unsigned long long)field->number);
		else if (field->quoted)
			append(text, " %s=\"%s\"", field->name, field->text);
		else
			append(text, " %s=%s", field->name, field->text);
	}
	if (line->repeated > 0)
		append(text, " (repeated %u time%s)", line->repeated,
		       line->repeated == 1 ? "" : "s");
}

/* One write a line, so that lines of several processes do not mix. */
static void write_line(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return;
}

static void put_text(const struct log_line *line, enum log_format format)
{
	char raw[LINE_BYTES], text[LINE_BYTES], out[LINE_BYTES + 16];

	describe(line, raw);
	escape(text, sizeof text, raw);
	if (format == LOG_FORMAT_SYSLOG) {
		syslog((int)line->level, "%s", text);
		return;
	}
	if (format == LOG_FORMAT_JOURNAL)
		snprintf(out, sizeof out, "<%d>%s\n", (int)line->level, text);
	else
		snprintf(out, sizeof out, "adoptd: %s\n", text);
	write_line(out);
}

static void put(const struct log_line *line)
{
	enum log_format format = (enum log_format)atomic_load(&sink);
	char *json = format == LOG_FORMAT_JSON ? log_line_json(line) : NULL;

	if (json)
		write_line(json);
	else
		put_text(line, format);
	free(json);
}

/* --- repeats --- */

static struct {
	pthread_mutex_t lock; /* over all below */
	struct repeats repeats;
	void (*held)(void *context); /* NULL: nothing is held back */
	void *context;
	bool told; /* `held` has been called, and a flush is to come */
} limiter = {.lock = PTHREAD_MUTEX_INITIALIZER};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool is_held_back(enum log_level level, const char *text)
{
	void (*held)(void *context) = NULL;
	void *context;
	bool tell;

	pthread_mutex_lock(&limiter.lock);
	tell = !limiter.held || repeats_tell(&limiter.repeats, (int)level, text, now_ms());
	if (!tell && !limiter.told) {
		limiter.told = true;
		held = limiter.held;
	}
	context = limiter.context;
	pthread_mutex_unlock(&limiter.lock);
	if (held)
		held(context);
	return !tell;
}

static bool take(bool all, struct repeats_line *ret)
{
	bool taken;

	pthread_mutex_lock(&limiter.lock);
	taken = repeats_take(&limiter.repeats, all, now_ms(), ret);
	pthread_mutex_unlock(&limiter.lock);
	return taken;
}

static void tell_held(bool all)
{
	struct repeats_line held;

	while (take(all, &held))
		put(&(struct log_line){.level = (enum log_level)held.level,
				       .message = held.text,
				       .repeated = held.held});
}

bool log_flush(void)
{
	bool more;

	tell_held(false);
	pthread_mutex_lock(&limiter.lock);
	more = limiter.repeats.holding > 0;
	limiter.told = more;
	pthread_mutex_unlock(&limiter.lock);
	return more;
}

void log_hold_repeats(void (*held)(void *context), void *context)
{
	pthread_mutex_lock(&limiter.lock);
	limiter.held = held;
	limiter.context = context;
	limiter.told = false;
	pthread_mutex_unlock(&limiter.lock);
	tell_held(true);
}

/* --- */

void log_write(enum log_level level, const char *format, ...)
{
	char text[LINE_BYTES];
	va_list args;

	if (!log_wants(level))
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (!is_held_back(level, text))
		put(&(struct log_line){.level = level, .message = text});
}

void log_event(enum log_level level, const char *event, const struct log_field *fields,
	       size_t count)
{
	if (log_wants(level))
		put(&(struct log_line){
			.level = level, .message = event, .fields = fields, .field_count = count});
}

static void write_fault(void *context, enum fault_severity severity, const char *text)
{
	(void)context;
	log_write(severity == FAULT_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "%s", text);
}

void log_faults(const struct faults *faults)
{
	faults_report(faults, write_fault, NULL);
}
