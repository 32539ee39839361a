/*
 * Runs an echo server on an inherited socket, and tries it:
 *
 *	try PROGRAM [ARGUMENT...]
 *
 * Exits 0 if all that was sent came back, and the end of file after it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The number under which systemd hands over the first socket. */
#define INHERITED 3

/* A server that says nothing for so long has failed. */
#define PATIENCE_S 20

static void fail(const char *what)
{
	fprintf(stderr, "try: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* Returns a listening socket on the loopback; its address goes to *ret. */
static int new_listener(struct sockaddr_in *ret)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    listen(fd, 8) < 0 || getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		fail("listen");
	*ret = address;
	return fd;
}

static pid_t start_server(int listener, char **command)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid > 0)
		return pid;
	if (listener != INHERITED && dup2(listener, INHERITED) < 0)
		fail("dup2");
	execv(command[0], command);
	fail(command[0]);
	return -1;
}

static int new_client(const struct sockaddr_in *address)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0 ||
	    connect(fd, (const struct sockaddr *)address, sizeof *address) < 0)
		fail("connect");
	return fd;
}

/* Sends a text and the end of file; tells whether just that comes back. */
static int echoes(int fd, const char *text)
{
	char answer[256];
	size_t length = 0;
	ssize_t count;

	if (send(fd, text, strlen(text), 0) != (ssize_t)strlen(text) || shutdown(fd, SHUT_WR) < 0)
		fail("send");
	while ((count = recv(fd, answer + length, sizeof answer - length, 0)) > 0)
		length += (size_t)count;
	if (count < 0)
		fail("receive");
	return length == strlen(text) && memcmp(answer, text, length) == 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address;
	int listener, client, good, status;
	pid_t server;

	if (argc < 2) {
		fprintf(stderr, "usage: try PROGRAM [ARGUMENT...]\n");
		return EXIT_FAILURE;
	}
	listener = new_listener(&address);
	client = new_client(&address);
	server = start_server(listener, argv + 1);
	close(listener);
	good = echoes(client, "adopted, and echoed\n");
	kill(server, SIGTERM);
	if (waitpid(server, &status, 0) != server)
		fail("wait");
	if (!good || !WIFSIGNALED(status) || WTERMSIG(status) != SIGTERM) {
		fprintf(stderr, "try: %s: no echo\n", argv[1]);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
