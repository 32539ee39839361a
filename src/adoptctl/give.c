/* adoptctl give: sockets for whoever asks on a UNIX socket, such as adoptd with --from. */
#include "adopt/adopt.h"
#include "command.h"
#include "gifts.h"
#include "support/command_line.h"
#include "support/identity.h"
#include "support/unix_socket.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/select.h>
#include <sys/un.h>
#include <unistd.h>

/* So long it may take to give to one who asks. */
#define TIMEOUT_MS 5000

/* So long it waits where descriptors or memory are short, before it looks again. */
#define PAUSE_SECONDS 1

enum {
	OPTION_ONCE = COMMAND_LINE_LONG,
	OPTION_USER,
};

static const struct option table[] = {
	{"once", no_argument, NULL, OPTION_ONCE},
	{"user", required_argument, NULL, OPTION_USER},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

struct options {
	bool once;
	const char *user; /* of --user, else NULL */
	bool help;
};

/* What is at work. */
struct giving {
	struct gifts gifts;
	struct listen_set socket; /* where they are asked for */
	uid_t user;               /* who may ask, besides root and this one's */
	bool once;
	bool short_of; /* whoever asks cannot be accepted, which has been said */
};

static volatile sig_atomic_t ended;

static void end_asked(int number)
{
	(void)number;
	ended = 1;
}

static void print_help(void)
{
	fputs("usage: adoptctl give [--once] [--user USER] SOCKET [[NAME=]FD | [NAME=]ADDRESS]...\n"
	      "\n"
	      "Gives sockets to each adoptd that asks for them with --from SOCKET: all that\n"
	      "adoptctl was itself handed over, by systemd or others that adoptd knows, those of\n"
	      "its descriptors that are named by number, and those that it opens at an address,\n"
	      "such as web=127.0.0.1:80 or dns=udp:127.0.0.1:53. It keeps them open until it is\n"
	      "told to end.\n"
	      "\n"
	      "      --once       end when they have been given once\n"
	      "      --user USER  who may ask, besides root and this user\n"
	      "  -h, --help       print this, and exit\n"
	      "\n"
	      "Exit codes: 0; 64 wrong usage; 71 the system refused something; 73 SOCKET cannot\n"
	      "be made; 78 what was handed over is not as it should be.\n",
	      stdout);
}

static int take(struct options *options, int option, const struct command_line *line)
{
	switch (option) {
	case OPTION_ONCE:
		options->once = true;
		return 0;
	case OPTION_USER:
		return command_line_take_once(line, "--user", &options->user);
	case 'h':
		options->help = true;
		return 0;
	default:
		return -EINVAL; /* it has been said */
	}
}

static enum command_exit fail(enum command_exit code, const char *what, int error)
{
	fprintf(stderr, "adoptctl give: %s: %s\n", what, strerror(-error));
	return code;
}

/* --- giving --- */

static bool may_ask(const struct giving *giving, uid_t user)
{
	return user == 0 || user == geteuid() || user == giving->user;
}

/* Returns whether they have been given. */
static bool give(const struct giving *giving, int fd)
{
	uid_t user;
	gid_t group;
	int r = unix_socket_peer(fd, &user, &group);

	if (r == 0 && !may_ask(giving, user))
		r = -EACCES;
	if (r == 0)
		r = adopt_descriptor_prepare(fd);
	if (r == 0)
		r = gifts_send(&giving->gifts, fd, TIMEOUT_MS);
	if (r < 0)
		fail(COMMAND_OK, "somebody has asked and gets nothing", r);
	else
		fprintf(stderr, "adoptctl give: given to user %ld\n", (long)user);
	return r == 0;
}

/* Who asks waits in the socket, so it would be readable all the time. */
static void pause_for(struct giving *giving, int error, const sigset_t *waiting)
{
	const struct timespec pause = {.tv_sec = PAUSE_SECONDS};

	if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ECONNABORTED)
		return;
	if (!giving->short_of)
		fail(COMMAND_OK, "who asks has to wait", -error);
	giving->short_of = true;
	pselect(0, NULL, NULL, NULL, &pause, waiting);
}

/* Signals come while it waits, and only then. */
static enum command_exit serve(struct giving *giving, const sigset_t *waiting)
{
	int listener = giving->socket.items[0].socket->fd;
	bool given = false;

	if (listener >= FD_SETSIZE)
		return fail(COMMAND_SYSTEM, "so many descriptors are open", -EMFILE);
	while (!ended && !(giving->once && given)) {
		fd_set ready;
		int fd;

		FD_ZERO(&ready);
		FD_SET(listener, &ready);
		if (pselect(listener + 1, &ready, NULL, NULL, NULL, waiting) < 0 && errno != EINTR)
			return fail(COMMAND_SYSTEM, "cannot wait", -errno);
		if (ended)
			break;
		fd = accept(listener, NULL, NULL);
		if (fd < 0) {
			pause_for(giving, errno, waiting);
			continue;
		}
		giving->short_of = false;
		given = give(giving, fd);
		close(fd);
	}
	/* Whoever has them now is to be found there. */
	listen_leave_paths(&giving->gifts.opened, giving->once && given);
	return COMMAND_OK;
}

/* Einhorn asks by SIGUSR2. */
static int watch_signals(sigset_t *ret_waiting)
{
	static const int asking[] = {SIGTERM, SIGINT, SIGUSR2};
	const struct sigaction action = {.sa_handler = end_asked};
	sigset_t held;

	sigemptyset(&held);
	for (size_t i = 0; i < sizeof asking / sizeof asking[0]; i++)
		sigaddset(&held, asking[i]);
	sigprocmask(SIG_BLOCK, &held, ret_waiting);
	for (size_t i = 0; i < sizeof asking / sizeof asking[0]; i++) {
		sigdelset(ret_waiting, asking[i]);
		if (sigaction(asking[i], &action, NULL) < 0)
			return -errno;
	}
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

/* --- beginning --- */

/* An abstract name has no mode: all may connect, and be refused. */
static int open_abstract(struct giving *giving, const char *name)
{
	char address[sizeof((struct sockaddr_un *)NULL)->sun_path + sizeof "unix:"];
	int length = snprintf(address, sizeof address, "unix:%s", name);

	return (size_t)length < sizeof address ? listen_open(&giving->socket, NULL, address)
					       : -ENAMETOOLONG;
}

/* Only who may ask can connect. */
static int open_socket(struct giving *giving, const char *path)
{
	const struct listen_access access = {.mode = 0600, .group = (gid_t)-1};
	int r;

	if (*path == '@')
		return open_abstract(giving, path);
	r = listen_open_path(&giving->socket, NULL, path, &access);
	if (r == 0 && giving->user != geteuid() && lchown(path, giving->user, (gid_t)-1) < 0)
		r = -errno;
	return r;
}

static enum command_exit begin(struct giving *giving, const char *path, char *const *words)
{
	enum command_exit code = gifts_collect(&giving->gifts, words);
	sigset_t waiting;
	int r;

	if (code != COMMAND_OK)
		return code;
	if (gifts_count(&giving->gifts) == 0)
		return command_refuse(&command_give,
				      "there is nothing to give: name descriptors or "
				      "addresses, or have some handed over");
	r = watch_signals(&waiting);
	if (r < 0)
		return fail(COMMAND_SYSTEM, "cannot await signals", r);
	r = open_socket(giving, path);
	if (r < 0)
		return fail(COMMAND_CREATE, path, r);
	r = einhorn_acknowledge(&giving->gifts.inherited);
	if (r < 0)
		fail(COMMAND_OK, "Einhorn cannot be told that this is ready", r);
	return serve(giving, &waiting);
}

static enum command_exit find_user(const char *name, uid_t *ret)
{
	struct identity *identity = NULL;
	int r;

	*ret = geteuid();
	if (!name)
		return COMMAND_OK;
	r = identity_new(name, "0", &identity);
	if (r < 0)
		return command_refuse(&command_give, "--user: there is no user \"%s\"", name);
	*ret = identity->uid;
	identity_free(&identity);
	return COMMAND_OK;
}

static enum command_exit run(const struct command_options *global, int argc, char *argv[])
{
	struct command_line line = {
		.program = "adoptctl give",
		.errors = stderr,
		.argc = argc,
		.argv = argv,
		.letters = "+:h",
		.table = table,
	};
	struct options options = {0};
	struct giving giving = {0};
	enum command_exit code;
	int option;

	(void)global;
	command_line_start(&line);
	while ((option = command_line_next(&line)) != -1)
		if (take(&options, option, &line) < 0)
			return COMMAND_USAGE;
	if (options.help) {
		print_help();
		return COMMAND_OK;
	}
	if (line.rest == line.argc)
		return command_refuse(&command_give, "SOCKET is missing");
	code = find_user(options.user, &giving.user);
	giving.once = options.once;
	if (code == COMMAND_OK)
		code = begin(&giving, argv[line.rest], argv + line.rest + 1);
	listen_close(&giving.socket);
	gifts_done(&giving.gifts);
	return code;
}

const struct command command_give = {
	.name = "give",
	.arguments = "SOCKET [[NAME=]FD | [NAME=]ADDRESS]...",
	.summary = "give sockets to an adoptd that asks with --from SOCKET",
	.run = run,
};
