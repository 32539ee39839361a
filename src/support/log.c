#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#define LINE_BYTES 2048

/* Changes while other threads log; the format is set before there are any. */
static atomic_int wanted = LOG_LEVEL_INFO;
static enum log_format sink = LOG_FORMAT_TEXT;

int log_level_parse(const char *text, enum log_level *ret)
{
	static const struct {
		const char *name;
		enum log_level level;
	} levels[] = {
		{"error", LOG_LEVEL_ERROR},   {"warning", LOG_LEVEL_WARNING},
		{"notice", LOG_LEVEL_NOTICE}, {"info", LOG_LEVEL_INFO},
		{"debug", LOG_LEVEL_DEBUG},
	};

	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
		if (strcmp(text, levels[i].name) == 0) {
			*ret = levels[i].level;
			return 0;
		}
	return -EINVAL;
}

int log_format_parse(const char *text, enum log_format *ret)
{
	if (strcmp(text, "auto") == 0)
		*ret = LOG_FORMAT_AUTO;
	else if (strcmp(text, "journal") == 0)
		*ret = LOG_FORMAT_JOURNAL;
	else if (strcmp(text, "text") == 0)
		*ret = LOG_FORMAT_TEXT;
	else
		return -EINVAL;
	return 0;
}

/* systemd.exec(5): JOURNAL_STREAM is `device:inode` of the journal's socket. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&wanted, (int)level, memory_order_relaxed);
}

void log_set_format(enum log_format format)
{
	if (format == LOG_FORMAT_AUTO)
		format = stderr_is_journal() ? LOG_FORMAT_JOURNAL : LOG_FORMAT_TEXT;
	if (format == LOG_FORMAT_SYSLOG)
		openlog("adoptd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	sink = format;
}

bool log_wants(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&wanted, memory_order_relaxed);
}

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

void log_write(enum log_level level, const char *format, ...)
{
	char raw[LINE_BYTES], line[LINE_BYTES], out[LINE_BYTES + 8];
	int length;
	va_list args;

	if (!log_wants(level))
		return;
	va_start(args, format);
	vsnprintf(raw, sizeof raw, format, args);
	va_end(args);
	escape(line, sizeof line, raw);

	if (sink == LOG_FORMAT_SYSLOG) {
		syslog((int)level, "%s", line);
		return;
	}
	if (sink == LOG_FORMAT_JOURNAL)
		length = snprintf(out, sizeof out, "<%d>%s\n", (int)level, line);
	else
		length = snprintf(out, sizeof out, "adoptd: %s\n", line);
	/* One write a line, so that lines of several processes do not mix. */
	if (write(STDERR_FILENO, out, (size_t)length) < 0)
		return;
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
