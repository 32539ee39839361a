/* log.h - what adoptd has to say while it runs, from any thread */
#ifndef SUPPORT_LOG_H
#define SUPPORT_LOG_H

#include "fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers are those of syslog(3) and of sd-daemon(3)'s line prefixes. */
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

enum log_format {
	LOG_FORMAT_AUTO,    /* journal where stderr is connected to it, else text */
	LOG_FORMAT_JOURNAL, /* lines on stderr with a `<N>` prefix: sd-daemon(3) */
	LOG_FORMAT_TEXT,    /* plain lines on stderr */
	LOG_FORMAT_JSON,    /* a JSON object a line on stderr */
	LOG_FORMAT_SYSLOG,  /* syslog(3), for where stderr is the client's socket */
};

/* Reads a level's name: error, warning, notice, info, debug. Returns 0 or -EINVAL. */
int log_level_parse(const char *text, enum log_level *ret);

/* Returns a level's name. */
const char *log_level_name(enum log_level level);

/* Reads a format's name: auto, journal, text, json. Returns 0 or -EINVAL. */
int log_format_parse(const char *text, enum log_format *ret);

/* Set what is logged and how. Until then: text, from info on. Syslog stays: stderr is
 * somebody else's. */
void log_set_level(enum log_level level);
void log_set_format(enum log_format format);

/* Returns the level that was set. */
enum log_level log_level_now(void);

/* Tells whether a line of this level would be written. */
bool log_wants(enum log_level level);

/* Logs one line; control characters in it are written as `\xNN`. */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Logs faults, a line each. */
void log_faults(const struct faults *faults);

/* Their arguments are evaluated only where the line is wanted. */
#define log_error(...) LOG_IF_WANTED(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) LOG_IF_WANTED(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) LOG_IF_WANTED(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) LOG_IF_WANTED(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) LOG_IF_WANTED(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define LOG_IF_WANTED(level, ...) (log_wants(level) ? log_write(level, __VA_ARGS__) : (void)0)

/* One field of an event: a number where there is no text. */
struct log_field {
	const char *name;
	const char *text;
	bool quoted; /* the text stands between quotes, but in JSON, where each does */
	uint64_t number;
};

/*
 * Logs something that has fields: one line with `name=value` for each, or members of the
 * JSON object. It is told each time, however often.
 */
void log_event(enum log_level level, const char *event, const struct log_field *fields,
	       size_t count);

/*
 * Holds back lines that repeat one of the last second, and counts them: who asks for
 * this calls log_flush() about a second after each `held`, which is called from any
 * thread when there is something to be told later. NULL, as at first: nothing is held
 * back; what was is told.
 */
void log_hold_repeats(void (*held)(void *context), void *context);

/* Tells what was held back a second ago or longer. Returns whether anything still is. */
bool log_flush(void);

#endif
