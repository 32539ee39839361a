#include "listen_fds.h"

#include "adopt/adopt.h"
#include "environment.h"
#include "support/value.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The first that is handed over: sd-daemon.h's SD_LISTEN_FDS_START. The standard ones are
 * never meant. */
#define FIRST_FD 3

/* What is announced. */
struct listen_fds {
	const char *giver;
	int first;
	int count;
};

/* Finds the name of the n-th descriptor in LISTEN_FDNAMES. */
static const char *announced_name(size_t n, int *ret_length)
{
	const char *name = getenv("LISTEN_FDNAMES");

	while (name && n-- > 0) {
		name = strchr(name, ':');
		name = name ? name + 1 : NULL;
	}
	if (!name)
		name = "unknown";
	*ret_length = (int)strcspn(name, ":");
	return name;
}

static int refuse_variables(const char *giver, int error, char **ret_message)
{
	const char *first = getenv("LISTEN_FDS_FIRST_FD");

	return giver_fail(error, ret_message,
			  "LISTEN_PID=%s, LISTEN_FDS=%s and LISTEN_FDNAMES=%s%s%s do not say what "
			  "%s handed over: %s",
			  environment_value("LISTEN_PID"), environment_value("LISTEN_FDS"),
			  environment_value("LISTEN_FDNAMES"),
			  first ? ", LISTEN_FDS_FIRST_FD=" : "", first ? first : "", giver,
			  strerror(-error));
}

static size_t count_names(const char *names)
{
	size_t count = *names ? 1 : 0;

	for (; *names; names++)
		count += *names == ':';
	return count;
}

static int read_variables(struct listen_fds *announced)
{
	const char *text = getenv("LISTEN_FDS_FIRST_FD");
	uint64_t first = FIRST_FD, count;

	if (text && value_number(text, FIRST_FD, INT_MAX - 1, &first) < 0)
		return -EINVAL;
	if (value_number(environment_value("LISTEN_FDS"), 1, INT_MAX - first, &count) < 0)
		return -EINVAL;
	announced->first = (int)first;
	announced->count = (int)count;
	return 0;
}

static int check_names(const struct listen_fds *announced)
{
	const char *names = getenv("LISTEN_FDNAMES");

	return names && count_names(names) != (size_t)announced->count ? -EINVAL : 0;
}

static int check_open(const struct listen_fds *announced, char **ret_message)
{
	for (int i = 0; i < announced->count; i++) {
		const char *name;
		int length;

		if (fcntl(announced->first + i, F_GETFD) >= 0)
			continue;
		name = announced_name((size_t)i, &length);
		return giver_fail(-EBADF, ret_message,
				  "descriptor %d (\"%.*s\") is not open, though LISTEN_FDS=%s says "
				  "that %s handed it over",
				  announced->first + i, length, name,
				  environment_value("LISTEN_FDS"), announced->giver);
	}
	return 0;
}

/* systemd itself names a connection so; systemd-socket-activate gives no names. */
static const char *default_name(int fd)
{
	struct adopt_socket_kind kind;

	if (adopt_socket_inspect(fd, &kind) == 0 && kind.type == SOCK_STREAM && !kind.listening)
		return "connection";
	return "unknown";
}

/* Tells whether an adoptd before this one had systemd keep it. */
static bool is_stored(const char *name)
{
	return strncmp(name, STORED_PREFIX, strlen(STORED_PREFIX)) == 0;
}

static int take_one(const struct listen_fds *announced, int i, struct inherited_list *list,
		    char **ret_message)
{
	bool named = getenv("LISTEN_FDNAMES");
	int fd = announced->first + i, length;
	const char *given = announced_name((size_t)i, &length);
	char *name = named ? strndup(given, (size_t)length) : strdup(default_name(fd));
	const struct inherited what = {
		.fd = fd,
		.number = fd,
		.source = announced->giver,
		.opened = name && named && is_stored(name),
	};
	int r = name ? inherited_take(list, name, &what) : -ENOMEM;

	if (r < 0 && r != -ENOMEM)
		r = giver_fail(r, ret_message, "descriptor %d (\"%s\") of %s: %s", fd, name,
			       announced->giver, strerror(-r));
	free(name);
	return r;
}

int listen_fds_take(const char *giver, struct inherited_list *list, char **ret_message)
{
	struct listen_fds announced = {.giver = giver};
	int r = read_variables(&announced);

	if (r < 0)
		return refuse_variables(giver, r, ret_message);
	r = check_open(&announced, ret_message);
	if (r < 0)
		return r;
	r = check_names(&announced);
	if (r < 0)
		return refuse_variables(giver, r, ret_message);
	for (int i = 0; r == 0 && i < announced.count; i++)
		r = take_one(&announced, i, list, ret_message);
	return r;
}

void listen_fds_unset(void)
{
	static const char *const variables[] = {
		"LISTEN_PID",     "LISTEN_FDS",          "LISTEN_FDNAMES",
		"LISTEN_PIDFDID", "LISTEN_FDS_FIRST_FD", NULL,
	};

	environment_unset(variables);
}
