/* The environment that announces descriptors, in all dialects at once: whatever it says, what
 * is taken is a socket that is open, ready for adoption and there once, an error has its
 * message, and no announcing variable is left. */
#include "activation/activation.h"
#include "fuzz_verdict.h"
#include "support/close_fds.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* So many sockets lie from 3 on, the last two being connected. */
#define FIRST_FD 3
#define FDS 8

#define LINES_MAX 32

/* What is announced with; a # stands for a number, a ? for a #. */
static const char *const announcing[] = {
	"LISTEN_PID",
	"LISTEN_FDS",
	"LISTEN_FDNAMES",
	"LISTEN_PIDFDID",
	"LISTEN_FDS_FIRST_FD",
	"REMOTE_ADDR",
	"REMOTE_PORT",
	"SERVER_STARTER_PORT",
	"SERVER_STARTER_GENERATION",
	"EINHORN_FD_COUNT",
	"EINHORN_FD_#",
	"EINHORN_FD_FAMILY_#",
	"EINHORN_FDS",
	"EINHORN_MASTER_PID",
	"EINHORN_SOCK_PATH",
	"EINHORN_SOCK_FD",
	"UPSTART_EVENTS",
	"UPSTART_FDS",
	"S6_FD?",
	"S6_FD_#",
	"S6_FDID_#",
	"S6_FDLIMIT_#",
	"NGINX",
	"GUNICORN_FD",
	"GUNICORN_PID",
	"PUMA_INHERIT_#",
	"FPM_SOCKETS",
	"FPM_SOCKETS_#",
};
#define ANNOUNCING (sizeof announcing / sizeof announcing[0])

extern char **environ;

/* The environment before. */
static char **plain;

static bool matches(const char *entry, const char *pattern)
{
	for (; *pattern; pattern++) {
		size_t digits = strspn(entry, "0123456789");

		if (*pattern == '#' && digits == 0)
			return false;
		if (*pattern != '#' && *entry != (*pattern == '?' ? '#' : *pattern))
			return false;
		entry += *pattern == '#' ? digits : 1;
	}
	return *entry == '=';
}

static bool announces(const char *entry)
{
	for (size_t i = 0; i < ANNOUNCING; i++)
		if (matches(entry, announcing[i]))
			return true;
	return false;
}

/* An input may name any number: nothing is open but what is placed below, wherever the target
 * was started from. */
static void close_inherited(void)
{
	int null = open("/dev/null", O_RDWR);

	FUZZ_REQUIRE(null >= 0 && dup2(null, STDIN_FILENO) == STDIN_FILENO);
	close_fds(FIRST_FD, ~0U, NULL);
}

static void place(int fd, int number)
{
	FUZZ_REQUIRE(fd >= 0 && dup2(fd, number) == number);
	if (fd != number)
		close(fd);
}

static void place_sockets(void)
{
	int pair[2];

	for (int i = 0; i < FDS - 2; i++)
		place(socket(AF_INET, SOCK_STREAM, 0), FIRST_FD + i);
	FUZZ_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	place(pair[0], FIRST_FD + FDS - 2);
	place(pair[1], FIRST_FD + FDS - 1);
}

static void close_sockets(void)
{
	for (int i = 0; i < FDS; i++)
		close(FIRST_FD + i);
}

/* What an input cannot know is written as a word. Returns the entry, or what stands for it
 * in `room`. */
static char *entry_of(char *line, char room[128])
{
	const char *value = strchr(line, '=') + 1;
	bool self = strcmp(value, "$PID") == 0;

	if (!self && strcmp(value, "$PPID") != 0)
		return line;
	snprintf(room, 128, "%.*s%ld", (int)(value - line), line,
		 (long)(self ? getpid() : getppid()));
	return room;
}

/* Each line is a variable; those that nobody announces with are left out. The environment is
 * made by hand: what setenv() copies is never freed. */
static void set_variables(char *text)
{
	static char *entries[LINES_MAX + 1], rooms[LINES_MAX][128];
	char *line, *rest = text;
	size_t count = 0;

	while (count < LINES_MAX && (line = strsep(&rest, "\n")))
		if (announces(line)) {
			entries[count] = entry_of(line, rooms[count]);
			count++;
		}
	entries[count] = NULL;
	environ = entries;
}

static void check_item(const struct inherited_list *list, size_t i)
{
	const struct inherited *item = &list->items[i];

	FUZZ_REQUIRE(item->name && item->source && giver_find(item->source) == item->source);
	FUZZ_REQUIRE(item->fd >= FIRST_FD && item->fd < FIRST_FD + FDS);
	FUZZ_REQUIRE(fcntl(item->fd, F_GETFD) == FD_CLOEXEC);
	FUZZ_REQUIRE(fcntl(item->fd, F_GETFL) & O_NONBLOCK);
	for (size_t k = 0; k < i; k++)
		FUZZ_REQUIRE(list->items[k].fd != item->fd);
}

static void check(void)
{
	const struct activation_request request = {0};
	struct inherited_list list = {0};
	char *message = NULL;
	int error = activation_collect(&request, &list, &message);

	FUZZ_REQUIRE(error <= 0);
	FUZZ_REQUIRE((error < 0) == (message != NULL));
	for (size_t i = 0; i < list.count; i++)
		check_item(&list, i);
	if (error == 0)
		for (char **entry = environ; *entry; entry++)
			FUZZ_REQUIRE(!announces(*entry));
	free(message);
	inherited_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	char *text = strndup((const char *)data, length);

	FUZZ_REQUIRE(text != NULL);
	if (!plain) {
		close_inherited();
		plain = environ;
	}
	place_sockets();
	set_variables(text);
	check();
	close_sockets();
	environ = plain;
	free(text);
	return 0;
}
