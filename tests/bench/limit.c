/* What the limit programs share: a bare epoll loop. */
#include "limit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_MAX 256

static int epoll = -1;
static struct limit_watch *unfinished;
static struct limit_garbage *garbage;

void limit_die(const char *what)
{
	fprintf(stderr, "limit: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

void *limit_alloc(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		limit_die("memory");
	return memory;
}

unsigned limit_number(const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*end || end == text || number == 0 || number > 65535) {
		errno = EINVAL;
		limit_die(text);
	}
	return (unsigned)number;
}

void limit_fork(const char *workers)
{
	unsigned count = workers ? limit_number(workers) : 1;
	pid_t first = getpid();

	for (unsigned i = 1; i < count && getpid() == first; i++) {
		if (fork() < 0)
			limit_die("fork");
	}
	if (getpid() != first)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
}

void limit_begin(void)
{
	signal(SIGPIPE, SIG_IGN); /* splice() has no flag against it */
	if (fcntl(LIMIT_FD, F_SETFL, O_NONBLOCK) < 0)
		limit_die("descriptor 3");
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		limit_die("epoll_create1");
}

static void control(struct limit_watch *watch, int operation, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (epoll_ctl(epoll, operation, watch->fd, &event) < 0)
		limit_die("epoll_ctl");
}

void limit_watch(struct limit_watch *watch, uint32_t events)
{
	control(watch, EPOLL_CTL_ADD, events);
}

void limit_rewatch(struct limit_watch *watch, uint32_t events)
{
	control(watch, EPOLL_CTL_MOD, events);
}

void limit_again(struct limit_watch *watch, uint32_t events)
{
	if (!watch->again) {
		watch->next = unfinished;
		unfinished = watch;
	}
	watch->again |= events;
}

void limit_free(struct limit_garbage *one)
{
	one->next = garbage;
	garbage = one;
}

static void finish_turn(void)
{
	struct limit_watch *watch = unfinished;

	unfinished = NULL;
	while (watch) {
		struct limit_watch *next = watch->next;
		uint32_t events = watch->again;

		watch->again = 0;
		watch->happened(watch, events);
		watch = next;
	}
	while (garbage) {
		struct limit_garbage *next = garbage->next;

		free(garbage);
		garbage = next;
	}
}

void limit_run(void)
{
	struct epoll_event events[EVENTS_MAX];

	for (;;) {
		int count = epoll_wait(epoll, events, EVENTS_MAX, unfinished ? 0 : -1);

		for (int i = 0; i < count; i++) {
			struct limit_watch *watch = events[i].data.ptr;

			if (watch->again)
				watch->again |= events[i].events;
			else
				watch->happened(watch, events[i].events);
		}
		finish_turn();
	}
}

int limit_accept(void)
{
	int fd = accept4(LIMIT_FD, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED)
		limit_die("accept");
	return fd;
}

void limit_writes(struct limit_watch *watch)
{
	int on = 1;

	if (watch->written && !watch->undelayed) {
		setsockopt(watch->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		watch->undelayed = true;
	}
	watch->written = true;
}

ssize_t limit_send(struct limit_watch *watch, const void *data, size_t length)
{
	limit_writes(watch);
	return send(watch->fd, data, length, MSG_NOSIGNAL);
}

int limit_connect(int type, uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		limit_die("socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)
		limit_die("connect");
	return fd;
}
