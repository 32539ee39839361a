#include "starter.h"

#include "successor.h"
#include "support/close_fds.h"
#include "support/fd_socket.h"
#include "support/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Starting is a matter of milliseconds. */
#define PATIENCE_MS 10000

#define FOREVER_MS (UINT64_MAX / 2)

struct starter {
	pid_t pid;
	int fd;
};

/* --- in the starter --- */

static int answer(int fd, int64_t pid)
{
	const struct fd_message_sender sender = {.pid = pid};
	struct fd_message *message = malloc(sizeof *message);
	int error = -ENOMEM;

	if (message) {
		fd_message_begin(message, FD_MESSAGE_STARTED);
		fd_message_set_sender(message, &sender);
		error = fd_socket_send_all(fd, message, PATIENCE_MS);
	}
	free(message);
	return error;
}

static int serve(int fd, const struct program *program)
{
	struct fd_received received;
	int error = fd_socket_receive(fd, FOREVER_MS, &received);
	pid_t pid;

	if (error < 0)
		return error;
	error = received.header.kind == FD_MESSAGE_START && received.fd_count == 1
			? successor_start(program, received.fds[0], &pid)
			: -EBADMSG;
	fd_received_done(&received);
	return answer(fd, error < 0 ? error : pid);
}

/* Where adoptd was started without a standard descriptor, a socket may have its number. */
static void close_all_but(int fd)
{
	for (int number = STDIN_FILENO; number <= STDERR_FILENO; number++) {
		int flags = fcntl(number, F_GETFD);

		if (flags >= 0 && flags & FD_CLOEXEC)
			close(number);
	}
	if (fd > STDERR_FILENO + 1)
		close_fds(STDERR_FILENO + 1, (unsigned)fd - 1, NULL);
	close_fds((unsigned)fd + 1, UINT_MAX, NULL);
}

/* Signals are for who serves: systemctl(1) and terminals send them to the whole group. */
static void run(int end, const struct program *program)
{
	int fd = fcntl(end, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	sigset_t all;

	if (fd < 0)
		_exit(1);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	close_all_but(fd);
	while (serve(fd, program) == 0)
		;
	_exit(0);
}

/* --- in who serves --- */

int starter_new(const struct program *program, struct starter **ret)
{
	struct starter *starter = calloc(1, sizeof *starter);
	int ends[2], error = starter ? pipe_open_sockets(SOCK_STREAM, ends) : -ENOMEM;

	if (error == 0) {
		starter->fd = ends[0];
		starter->pid = fork();
		if (starter->pid == 0)
			run(ends[1], program);
		if (starter->pid < 0) {
			error = -errno;
			close(ends[0]);
		}
		close(ends[1]);
	}
	if (error < 0)
		free(starter);
	else
		*ret = starter;
	return error;
}

static int ask(const struct starter *starter, struct fd_message *message, int fd)
{
	int error;

	fd_message_begin(message, FD_MESSAGE_START);
	error = fd_message_attach(message, fd);
	return error < 0 ? error : fd_socket_send_all(starter->fd, message, PATIENCE_MS);
}

/* Other errors of ask() are the system's, which has sent nothing. */
static bool is_lost(int error)
{
	return error == -EPIPE || error == -ECONNRESET || error == -ETIMEDOUT;
}

/* ret: a process's number, or a negative errno. */
static int hear(const struct starter *starter, int64_t *ret)
{
	struct fd_message_sender sender;
	struct fd_received received;
	int error = fd_socket_receive(starter->fd, PATIENCE_MS, &received);

	if (error < 0)
		return error;
	error = received.header.kind == FD_MESSAGE_STARTED
			? fd_message_read_sender(received.body, received.header.body_bytes, &sender)
			: -EBADMSG;
	fd_received_done(&received);
	if (error == 0)
		*ret = sender.pid;
	return error;
}

int starter_start(struct starter **starter, int fd, pid_t *ret_pid)
{
	struct fd_message *message = malloc(sizeof *message);
	int64_t said = 0;
	bool lost;
	int error;

	if (!message)
		return -ENOMEM;
	error = ask(*starter, message, fd);
	lost = is_lost(error);
	if (error == 0) {
		error = hear(*starter, &said);
		lost = error < 0;
	}
	free(message);
	/* What it said later would be taken for its answer to the next question. */
	if (lost)
		starter_free(starter);
	if (error == 0 && said < 0)
		error = (int)said;
	if (error == 0)
		*ret_pid = (pid_t)said;
	return error;
}

void starter_free(struct starter **gone)
{
	struct starter *starter = *gone;

	*gone = NULL;
	if (!starter)
		return;
	close(starter->fd);
	/* It may have been stopped, and holds nothing that it would have to put in order. */
	kill(starter->pid, SIGKILL);
	while (waitpid(starter->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(starter);
}
