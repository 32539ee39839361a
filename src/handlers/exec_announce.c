#include "exec_announce.h"

#include "adopt/adopt.h"
#include "support/spawn.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const char *const exec_announce_words[] = {
	"inetd", "systemd", "upstart", "server-starter", "einhorn", "nginx", NULL,
};

const char *const *exec_announce_variables(enum exec_announce how)
{
	static const char *const variables[][EXEC_ANNOUNCEMENT_MAX + 1] = {
		[ANNOUNCE_INETD] = {NULL},
		[ANNOUNCE_SYSTEMD] = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"},
		[ANNOUNCE_UPSTART] = {"UPSTART_EVENTS", "UPSTART_FDS"},
		[ANNOUNCE_SERVER_STARTER] = {"SERVER_STARTER_PORT", "SERVER_STARTER_GENERATION"},
		[ANNOUNCE_EINHORN] = {"EINHORN_MASTER_PID", "EINHORN_FD_COUNT", "EINHORN_FD_0",
				      "EINHORN_FDS"},
		[ANNOUNCE_NGINX] = {"NGINX"},
	};

	return variables[how];
}

__attribute__((format(printf, 2, 3))) static int put(struct exec_announcement *announcement,
						     const char *format, ...)
{
	char **entry = announcement->entries;
	va_list args;
	int length;

	while (*entry)
		entry++;
	va_start(args, format);
	length = vasprintf(entry, format, args);
	va_end(args);
	if (length >= 0)
		return 0;
	*entry = NULL;
	return -ENOMEM;
}

/* Its own number is what only the process knows. */
static int put_systemd(struct exec_announcement *announcement, const char *name)
{
	int error = put(announcement, "LISTEN_PID=%*s", SPAWN_PID_BYTES, "");

	if (error < 0)
		return error;
	announcement->pid = strchr(announcement->entries[0], '=') + 1;
	error = put(announcement, "LISTEN_FDS=1");
	return error < 0 ? error : put(announcement, "LISTEN_FDNAMES=%s", name);
}

static int put_upstart(struct exec_announcement *announcement)
{
	int error = put(announcement, "UPSTART_EVENTS=socket");

	return error < 0 ? error : put(announcement, "UPSTART_FDS=%d", EXEC_ANNOUNCED_FD);
}

/* Paths stand there as they are, and nothing tells UDP from TCP. */
static int put_server_starter(struct exec_announcement *announcement, int fd)
{
	static const char unix_prefix[] = "unix:";
	struct adopt_address address = {.length = sizeof address.name};
	char text[ADOPT_ADDRESS_TEXT_SIZE];
	const char *at = text;
	int error;

	if (getsockname(fd, &address.name.any, &address.length) < 0)
		return -errno;
	adopt_address_format(&address, text, sizeof text);
	if (strncmp(text, unix_prefix, strlen(unix_prefix)) == 0)
		at += strlen(unix_prefix);
	error = put(announcement, "SERVER_STARTER_PORT=%s=%d", at, EXEC_ANNOUNCED_FD);
	return error < 0 ? error : put(announcement, "SERVER_STARTER_GENERATION=1");
}

static int put_einhorn(struct exec_announcement *announcement)
{
	int error = put(announcement, "EINHORN_MASTER_PID=%ld", (long)getpid());

	if (error == 0)
		error = put(announcement, "EINHORN_FD_COUNT=1");
	if (error == 0)
		error = put(announcement, "EINHORN_FD_0=%d", EXEC_ANNOUNCED_FD);
	if (error == 0)
		error = put(announcement, "EINHORN_FDS=%d", EXEC_ANNOUNCED_FD);
	return error;
}

static int put_all(struct exec_announcement *announcement, enum exec_announce how, const char *name,
		   int fd)
{
	switch (how) {
	case ANNOUNCE_INETD:
		return 0;
	case ANNOUNCE_SYSTEMD:
		return put_systemd(announcement, name);
	case ANNOUNCE_UPSTART:
		return put_upstart(announcement);
	case ANNOUNCE_SERVER_STARTER:
		return put_server_starter(announcement, fd);
	case ANNOUNCE_EINHORN:
		return put_einhorn(announcement);
	case ANNOUNCE_NGINX:
		return put(announcement, "NGINX=%d;", EXEC_ANNOUNCED_FD);
	}
	return -EINVAL;
}

int exec_announcement_new(enum exec_announce how, const char *name, int fd,
			  struct exec_announcement *ret)
{
	struct exec_announcement announcement = {0};
	int error = put_all(&announcement, how, name, fd);

	if (error < 0)
		exec_announcement_done(&announcement);
	else
		*ret = announcement;
	return error;
}

void exec_announcement_done(struct exec_announcement *announcement)
{
	for (size_t i = 0; i < EXEC_ANNOUNCEMENT_MAX; i++)
		free(announcement->entries[i]);
	*announcement = (struct exec_announcement){0};
}
