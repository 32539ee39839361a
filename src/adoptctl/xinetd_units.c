/* What of an entry of xinetd.conf is a matter of systemd's units, and of the log. */
#include "support/value.h"
#include "xinetd_translate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the flags become; `line` and `why` exclude each other. */
static const struct {
	const char *name;
	const char *line; /* of the socket unit */
	const char *why;  /* there is no counterpart */
} flags[] = {
	{"IDONLY", NULL, "no client is asked who it is (RFC 1413)"},
	{"INTERCEPT", NULL, NULL}, /* the filters of a socket unit are for each packet */
	{"IPv4", NULL, NULL},
	{"IPv6", NULL, NULL},
	{"KEEPALIVE", "KeepAlive=yes", NULL},
	{"LABELED", NULL, "SELinuxContextFromNet= is for socket units with Accept=yes"},
	{"NAMEINARGS", NULL, NULL},
	{"NODELAY", "NoDelay=yes", NULL},
	{"NOLIBWRAP", NULL, NULL},
	{"NORETRY", NULL, "what cannot be started is not tried again anyway"},
	{"REUSE", NULL, NULL},
};

static int translate_flag(struct xinetd_translation *translation, const char *name)
{
	struct service *service = translation->service;

	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
		if (strcmp(flags[i].name, name) != 0)
			continue;
		if (flags[i].why)
			xinetd_warn(translation, XINETD_FLAGS, name, flags[i].why);
		return flags[i].line && !service->datagram
			       ? words_add(&service->socket, flags[i].line)
			       : 0;
	}
	return xinetd_refuse(translation, XINETD_FLAGS, "one of them is unknown");
}

static int translate_flags(struct xinetd_translation *translation)
{
	const struct xinetd_values *values = xinetd_values(translation, XINETD_FLAGS);
	int error = 0;

	for (size_t i = 0; error == 0 && values && i < values->words.count; i++)
		error = translate_flag(translation, values->words.items[i]);
	return error;
}

static int translate_nice(struct xinetd_translation *translation)
{
	const char *text = xinetd_value(translation, XINETD_NICE);
	char *end;
	long nice;

	if (!text)
		return 0;
	nice = strtol(text, &end, 10);
	if (end == text || *end || nice < -20 || nice > 19)
		return xinetd_refuse(translation, XINETD_NICE, "is a number from -20 to 19");
	return words_print(&translation->service->unit, "Nice=%ld", nice);
}

/* Only a program makes files. */
static int translate_umask(struct xinetd_translation *translation)
{
	const char *text = xinetd_value(translation, XINETD_UMASK);
	struct service *service = translation->service;
	size_t digits;

	if (!text || service->handler != SERVICE_EXEC)
		return 0;
	digits = strspn(text, "01234567");
	if (digits == 0 || text[digits] || strtoul(text, NULL, 8) > 0777)
		return xinetd_refuse(translation, XINETD_UMASK, "is an octal number up to 777");
	return words_print(&service->unit, "UMask=%04lo", strtoul(text, NULL, 8));
}

static int translate_log_type(struct xinetd_translation *translation)
{
	static const char *const facilities[] = {"auth",   "authpriv", "daemon", "ftp",    "local0",
						 "local1", "local2",   "local3", "local4", "local5",
						 "local6", "local7",   "lpr",    "mail",   "news",
						 "user",   "uucp",     NULL};
	const struct xinetd_values *values = xinetd_values(translation, XINETD_LOG_TYPE);
	const char *facility;

	if (!values || values->words.count < 2) {
		if (values)
			xinetd_warn(translation, XINETD_LOG_TYPE, NULL, "the log is the journal");
		return 0;
	}
	facility = values->words.items[1];
	if (strcmp(values->words.items[0], "SYSLOG") != 0) {
		xinetd_warn(translation, XINETD_LOG_TYPE, values->words.items[0],
			    "the log is the journal; StandardError=append:PATH in the service unit "
			    "would be a file");
		return 0;
	}
	/* What systemd does by itself. */
	if (strcmp(facility, "daemon") == 0)
		return 0;
	for (size_t i = 0; facilities[i]; i++)
		if (strcmp(facility, facilities[i]) == 0)
			return words_print(&translation->service->unit, "SyslogFacility=%s",
					   facility);
	xinetd_warn(translation, XINETD_LOG_TYPE, facility, "is no facility of syslog");
	return 0;
}

static void translate_log(struct xinetd_translation *translation, enum xinetd_attribute attribute)
{
	const struct xinetd_values *values = xinetd_values(translation, attribute);

	for (size_t i = 0; values && i < values->words.count; i++) {
		if (strcmp(values->words.items[i], "USERID") == 0)
			xinetd_warn(translation, attribute, "USERID",
				    "no client is asked who it is (RFC 1413)");
		else
			translation->access_log = true;
	}
}

int xinetd_translate_units(struct xinetd_translation *translation)
{
	int error = translate_flags(translation);

	if (error == 0)
		error = translate_nice(translation);
	if (error == 0)
		error = translate_umask(translation);
	if (error == 0)
		error = translate_log_type(translation);
	translate_log(translation, XINETD_LOG_ON_SUCCESS);
	translate_log(translation, XINETD_LOG_ON_FAILURE);
	return error;
}
