/*
 * --from SOCKET: descriptors from whoever gives them there, such as adoptctl(1) with `give`:
 * the messages of fd_message.h up to the end of the list. --from haproxy:SOCKET: those of an
 * HAProxy that runs, on its stats socket.
 */
#include "adopt/adopt.h"
#include "environment.h"
#include "haproxy.h"
#include "support/fd_socket.h"
#include "support/unix_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* So long all of one giver's descriptors may take. */
#define TIMEOUT_MS 5000

static const char haproxy_prefix[] = "haproxy:";

/* One that is asked. */
struct asking {
	const char *option; /* the option's value, for messages */
	const char *path;
	const struct activation_request *request;
	struct inherited_list *list;
	char **ret_message;
	int fd;
};

static bool is_haproxy(const char *option)
{
	return strncmp(option, haproxy_prefix, strlen(haproxy_prefix)) == 0;
}

static const char *path_of(const char *option)
{
	return is_haproxy(option) ? option + strlen(haproxy_prefix) : option;
}

bool from_option_is_valid(const char *option)
{
	size_t length = strlen(path_of(option));

	return length > 0 && length < sizeof((struct sockaddr_un *)NULL)->sun_path;
}

static int take(const struct asking *asking, const char *name, int fd)
{
	const struct inherited what = {.fd = fd, .number = fd, .source = giver_from_option.name};
	struct stat st;
	int r;

	if (fstat(fd, &st) == 0 && !S_ISSOCK(st.st_mode))
		return giver_fail(-EINVAL, asking->ret_message,
				  "--from %s: what is given as \"%s\" is no socket", asking->option,
				  name);
	r = inherited_take(asking->list, name, &what);
	if (r < 0 && r != -ENOMEM)
		r = giver_explain(r, fd, asking->list, asking->ret_message, "--from %s",
				  asking->option);
	return r;
}

/* --- the messages of fd_message.h --- */

static int take_records(const struct asking *asking, struct fd_received *received)
{
	const unsigned char *at = received->body;
	size_t left = received->header.body_bytes;
	struct fd_message_record record;
	int r = 0;

	for (size_t i = 0; i < received->fd_count && r == 0; i++) {
		r = fd_message_read_record(&at, &left, &record);
		if (r == 0 && !*record.name)
			r = -EBADMSG;
		if (r == 0)
			r = take(asking, record.name, received->fds[i]);
		if (r == 0)
			received->fds[i] = -1;
	}
	return r;
}

static int take_messages(const struct asking *asking)
{
	uint64_t until_ms = fd_socket_until(TIMEOUT_MS);
	bool end = false;
	int r = 0;

	while (r == 0 && !end) {
		struct fd_received received;

		r = fd_socket_receive(asking->fd, fd_socket_left(until_ms), &received);
		if (r < 0)
			break;
		end = received.header.kind == FD_MESSAGE_END;
		if (received.header.kind == FD_MESSAGE_DESCRIPTORS)
			r = take_records(asking, &received);
		/* All others are a later version's, and may be left. */
		fd_received_done(&received);
	}
	return r;
}

/* --- HAProxy --- */

/* A UNIX socket of HAProxy's is bound as PATH.PID.tmp, and renamed. */
static void cut_suffix(char *path)
{
	static const char suffix[] = ".tmp";
	size_t length = strlen(path), digits = 0;

	if (length < strlen(suffix) || strcmp(path + length - strlen(suffix), suffix) != 0)
		return;
	length -= strlen(suffix);
	while (digits < length && strchr("0123456789", path[length - digits - 1]))
		digits++;
	if (digits > 0 && digits < length && path[length - digits - 1] == '.')
		path[length - digits - 1] = '\0';
}

/* Its sockets have no names: they are called after their port, or their path. */
static const char *name_of(int fd, char text[ADOPT_ADDRESS_TEXT_SIZE])
{
	static const char unix_prefix[] = "unix:";
	struct adopt_address address = {.length = sizeof address.name};

	if (getsockname(fd, &address.name.any, &address.length) < 0)
		return "unknown";
	adopt_address_format(&address, text, ADOPT_ADDRESS_TEXT_SIZE);
	if (strncmp(text, unix_prefix, strlen(unix_prefix)) != 0)
		return environment_address_name(text);
	cut_suffix(text);
	return text + strlen(unix_prefix);
}

/* Its stats socket is known by its address: the option may lead there by another path. */
static bool is_asked(const struct asking *asking, int fd)
{
	struct adopt_address own = {.length = sizeof own.name};
	struct adopt_address asked = {.length = sizeof asked.name};

	return getsockname(fd, &own.name.any, &own.length) == 0 &&
	       getpeername(asking->fd, &asked.name.any, &asked.length) == 0 &&
	       adopt_address_equal(&own, &asked);
}

/* Tells whether a port block wants what is called so. */
static bool is_wanted(const struct activation_request *request, const char *name)
{
	const char *const *port = request->port_names;

	for (; port && *port; port++) {
		size_t length = strlen(*port), index;

		inherited_split_name(*port, &length, &index);
		if (strcmp(*port, "*") == 0 ||
		    (length == strlen(name) && strncmp(*port, name, length) == 0))
			return true;
	}
	return false;
}

/* As HAProxy's next version does, what is not configured is left to the one that has it: its
 * stats socket first of all. */
static int take_haproxy(const struct asking *asking)
{
	struct haproxy_sockets sockets;
	int r = haproxy_ask(asking->fd, TIMEOUT_MS, &sockets);

	if (r < 0)
		return r;
	for (size_t i = 0; i < sockets.count && r == 0; i++) {
		char text[ADOPT_ADDRESS_TEXT_SIZE];
		const char *name = name_of(sockets.fds[i], text);

		if (is_asked(asking, sockets.fds[i]))
			continue;
		if (!is_wanted(asking->request, name)) {
			inherited_note(asking->list,
				       "--from %s: \"%s\" is left to HAProxy: no port block is "
				       "called so",
				       asking->option, name);
			continue;
		}
		r = take(asking, name, sockets.fds[i]);
		if (r == 0)
			sockets.fds[i] = -1;
	}
	haproxy_sockets_done(&sockets);
	return r;
}

/* --- asking --- */

/* Whoever may put a socket there could else have adoptd serve what is not meant for it. */
static int check_peer(const struct asking *asking)
{
	uid_t user;
	gid_t group;
	int r = unix_socket_peer(asking->fd, &user, &group);

	if (r < 0 || user == 0 || user == geteuid())
		return r;
	return giver_fail(-EACCES, asking->ret_message,
			  "--from %s: who gives there is user %ld, neither root nor adoptd's own",
			  asking->option, (long)user);
}

static const char *reason(const struct asking *asking, int error)
{
	switch (error) {
	case -ETIMEDOUT:
		return "not everything has come in time";
	case -EPROTONOSUPPORT:
		return "it gives in another way: is it of another version?";
	case -ECONNRESET:
	case -EBADMSG:
		if (is_haproxy(asking->option))
			return "it does not give its sockets: is this HAProxy's stats socket, with "
			       "`level admin` and `expose-fd listeners`?";
		return error == -EBADMSG ? "it does not give as adoptctl does"
					 : "it has ended before everything had come";
	default:
		return strerror(-error);
	}
}

static int ask(struct asking *asking)
{
	int r = unix_socket_connect(asking->path, &asking->fd);

	if (r == 0) {
		r = check_peer(asking);
		if (r == 0)
			r = is_haproxy(asking->option) ? take_haproxy(asking)
						       : take_messages(asking);
		close(asking->fd);
	}
	if (r < 0 && r != -ENOMEM && !*asking->ret_message)
		r = giver_fail(r, asking->ret_message, "--from %s: %s", asking->option,
			       reason(asking, r));
	return r;
}

static int collect(const struct activation_request *request, struct inherited_list *list,
		   char **ret_message)
{
	int r = 0;

	for (const char *const *option = request->from_options; option && *option && r == 0;
	     option++) {
		struct asking asking = {
			.option = *option,
			.path = path_of(*option),
			.request = request,
			.list = list,
			.ret_message = ret_message,
		};

		r = ask(&asking);
	}
	return r;
}

const struct giver giver_from_option = {.name = "--from", .collect = collect};
