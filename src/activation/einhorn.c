/*
 * Einhorn: EINHORN_FD_COUNT=2, EINHORN_FD_0=6, EINHORN_FD_1=7, or in older versions
 * EINHORN_FDS="6 7"; all for the children of EINHORN_MASTER_PID only. It waits for a worker
 * to acknowledge that it is up, and then asks the one before to drain, by SIGUSR2.
 */
#include "environment.h"

#include "support/unix_socket.h"
#include "support/value.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Where there is no such flag, adoptd ignores the signal. */
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

static const struct dialect dialect = {
	.giver = "einhorn",
	.separators = " ",
	.example = "EINHORN_FD_COUNT=1 with EINHORN_FD_0=6, or EINHORN_FDS=6",
};

/* --- the acknowledgement --- */

/* Whoever cannot acknowledge serves all the same: Einhorn need not wait for it. */
static void find_socket(struct inherited_list *list)
{
	const char *path = environment_value("EINHORN_SOCK_PATH");
	const char *number = environment_value("EINHORN_SOCK_FD");
	int r;

	if (!*path && !*number)
		return;
	r = *path ? unix_socket_connect(path, &list->acknowledge_fd)
		  : environment_unix_stream(number, &list->acknowledge_fd);
	list->acknowledges = r == 0;
	if (r < 0)
		inherited_note(
			list, "EINHORN_SOCK_%s=%s: Einhorn cannot be told that adoptd is ready: %s",
			*path ? "PATH" : "FD", *path ? path : number, strerror(-r));
}

int einhorn_acknowledge(struct inherited_list *list)
{
	char text[64];
	ssize_t length;
	int r = 0;

	if (!list->acknowledges)
		return 0;
	length = snprintf(text, sizeof text, "{\"command\":\"worker:ack\", \"pid\":%ld}\n",
			  (long)getpid());
	if (send(list->acknowledge_fd, text, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL) != length)
		r = -errno;
	close(list->acknowledge_fd);
	list->acknowledges = false;
	return r;
}

/* --- the descriptors --- */

static int take(struct inherited_list *list, char **ret_message)
{
	static const struct numbered numbered = {
		.count = "EINHORN_FD_COUNT",
		.number = "EINHORN_FD_",
	};
	const char *parent = environment_value("EINHORN_MASTER_PID");
	uint64_t pid;
	int r;

	if (!*parent && !*environment_value(numbered.count) && !*environment_value("EINHORN_FDS"))
		return 0;
	if (*parent && value_number(parent, 1, INT_MAX, &pid) < 0)
		return giver_fail(-EINVAL, ret_message,
				  "EINHORN_MASTER_PID=%.200s is not the number of a process, as "
				  "Einhorn sets it",
				  parent);
	if (!*parent || pid != (uint64_t)getppid()) {
		inherited_note(list,
			       "what EINHORN_FD_COUNT announces is ignored: it is meant for the "
			       "children of process %s, EINHORN_MASTER_PID, not for this one's "
			       "parent, %ld",
			       *parent ? parent : "\"\"", (long)getppid());
		return 0;
	}
	list->under_einhorn = true;
	find_socket(list);
	r = environment_take_numbered(&dialect, &numbered, list, ret_message);
	if (r == 0 && !*environment_value(numbered.count))
		r = environment_take_list(&dialect, "EINHORN_FDS", list, ret_message);
	return r;
}

static int collect(const struct activation_request *request, struct inherited_list *list,
		   char **ret_message)
{
	static const char *const announcing[] = {
		"EINHORN_FD_COUNT",  "EINHORN_FDS",     "EINHORN_MASTER_PID",
		"EINHORN_SOCK_PATH", "EINHORN_SOCK_FD", NULL,
	};
	static const char *const each[] = {"EINHORN_FD_", "EINHORN_FD_FAMILY_", NULL};
	int r = take(list, ret_message);

	(void)request;
	environment_unset(announcing);
	environment_unset_numbered(each);
	return r;
}

const struct giver giver_einhorn = {.name = "einhorn", .collect = collect};
