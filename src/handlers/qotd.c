/*
 * qotd { file = "/path" }: says one quote and closes (RFC 865). The file is in the
 * format of fortune(6): quotes with a line `%` between them.
 */
#include "oneshot.h"
#include "support/file.h"
#include "support/keyed_hash.h"
#include "support/option.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* RFC 865: "less than 512 characters". */
#define QUOTE_MAX_BYTES 511

#define FILE_MAX_BYTES (1024 * 1024)

struct quote {
	size_t start; /* in the text */
	size_t length;
};

struct qotd_settings {
	struct oneshot_settings base;
	const char *file; /* the section's; NULL: the built-in quotes */
	char *text;       /* all quotes, their lines ended by CR and LF */
	struct quote *quotes;
	size_t count;
	struct hash_key key;
};

static const cfg_opt_t options[] = {CFG_STR("file", NULL, CFGF_NONE), CFG_END()};

static const char built_in[] =
	"A socket that waits costs less than a server that waits.\n"
	"%\n"
	"Whoever opened the port should be the last to close it.\n"
	"%\n"
	"Every queue has a bound. Some are found by measuring, the others by the pager.\n"
	"%\n"
	"An error message is a letter to somebody who is already tired.\n"
	"%\n"
	"The packet that was never sent needs no retry.\n"
	"%\n"
	"Half of a connection is still a connection:\n"
	"hear the other side out before you hang up.\n"
	"%\n"
	"Nothing is as permanent as a service that was started for a trial.\n"
	"%\n"
	"Zero is a number, and a descriptor too.\n";

static void settings_free(struct handler_settings *base)
{
	struct qotd_settings *settings = (struct qotd_settings *)base;

	if (!settings)
		return;
	free(settings->text);
	free(settings->quotes);
	free(settings);
}

/* The clock's nanoseconds under a secret key are as good as dice here, and leave
 * nothing for threads to share. */
static size_t say(const struct oneshot_settings *base, char *text)
{
	const struct qotd_settings *settings = (const struct qotd_settings *)base;
	const struct quote *quote;
	struct timespec now;
	uint64_t now_ns;

	clock_gettime(CLOCK_MONOTONIC, &now);
	now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	quote = settings->quotes +
		keyed_hash(&settings->key, &now_ns, sizeof now_ns) % settings->count;
	memcpy(text, settings->text + quote->start, quote->length);
	return quote->length;
}

/* Adds what has been written to the text since the last quote, without the empty
 * lines at its end. Returns where the next one starts. */
static size_t end_quote(struct qotd_settings *settings, size_t start, size_t end, size_t *too_long)
{
	while (end - start >= 4 && memcmp(settings->text + end - 4, "\r\n\r\n", 4) == 0)
		end -= 2;
	if (end - start > QUOTE_MAX_BYTES)
		++*too_long;
	else if (end > start)
		settings->quotes[settings->count++] = (struct quote){start, end - start};
	return end;
}

/* Returns 0 or -ENOMEM. */
static int parse(struct qotd_settings *settings, const char *raw, size_t length, size_t *too_long)
{
	size_t lines = 1, start = 0, end = 0;
	const char *raw_end = raw + length;

	for (size_t i = 0; i < length; i++)
		lines += raw[i] == '\n';
	settings->text = malloc(length + 2 * lines);
	settings->quotes = calloc(lines, sizeof *settings->quotes);
	if (!settings->text || !settings->quotes)
		return -ENOMEM;
	while (raw < raw_end) {
		const char *feed = memchr(raw, '\n', (size_t)(raw_end - raw));
		const char *next = feed ? feed + 1 : raw_end;
		size_t width = (size_t)((feed ? feed : raw_end) - raw);

		if (width > 0 && raw[width - 1] == '\r')
			width--;
		if (width == 1 && *raw == '%') {
			start = end = end_quote(settings, start, end, too_long);
		} else if (width > 0 || end > start) {
			memcpy(settings->text + end, raw, width);
			memcpy(settings->text + end + width, "\r\n", 2);
			end += width + 2;
		}
		raw = next;
	}
	end_quote(settings, start, end, too_long);
	return 0;
}

/* Returns 0, a negative errno, or -EFBIG where the file is too large. */
static int read_file(const char *path, char **ret, size_t *ret_length)
{
	/* O_NONBLOCK: a FIFO must not hold the daemon up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int error;

	if (fd < 0)
		return -errno;
	error = file_read(fd, FILE_MAX_BYTES, ret, ret_length);
	close(fd);
	return error;
}

static int load(struct qotd_settings *settings, const char *path, cfg_t *section,
		struct faults *faults)
{
	size_t length = 0, too_long = 0;
	char *raw = NULL;
	int error = read_file(path, &raw, &length);

	if (error == -ENOMEM)
		return error;
	if (error < 0) {
		option_fault(section, "file", faults, "cannot read \"%s\": %s", path,
			     error == -EFBIG ? "it is larger than 1 MiB" : strerror(-error));
		return -EINVAL;
	}
	error = parse(settings, raw, length, &too_long);
	free(raw);
	if (error < 0)
		return error;
	if (settings->count == 0) {
		option_fault(
			section, "file", faults,
			"\"%s\" has no quote of less than %d bytes (a line `%%` separates two)",
			path, QUOTE_MAX_BYTES + 1);
		return -EINVAL;
	}
	if (too_long > 0)
		option_warn(section, "file", faults,
			    "quotes in \"%s\" that are too long and never said "
			    "(%d bytes or more): %zu",
			    path, QUOTE_MAX_BYTES + 1, too_long);
	return 0;
}

static int settings_new(cfg_t *section, struct faults *faults, struct handler_settings **ret)
{
	const char *path = cfg_getstr(section, "file");
	struct qotd_settings *settings = calloc(1, sizeof *settings);
	size_t too_long = 0;
	int error;

	if (!settings)
		return -ENOMEM;
	settings->base = (struct oneshot_settings){
		.base.handler = &handler_qotd,
		.say = say,
		.may_be_cut = true,
	};
	settings->file = path;
	hash_key_init(&settings->key);
	error = path ? load(settings, path, section, faults)
		     : parse(settings, built_in, sizeof built_in - 1, &too_long);
	if (error < 0) {
		settings_free(&settings->base.base);
		return error;
	}
	*ret = &settings->base.base;
	return 0;
}

static const char *file(const struct handler_settings *settings)
{
	return ((const struct qotd_settings *)settings)->file;
}

const struct handler handler_qotd = {
	.name = "qotd",
	.reads_files = true,
	.file = file,
	.options = options,
	.settings_new = settings_new,
	.settings_free = settings_free,
	.stream_new = oneshot_stream_new,
	.stream_free = service_stream_free,
	.datagram_new = oneshot_datagram_new,
	.datagram_free = service_datagram_free,
};
