/* The loop of one process that makes load. */
#include "load.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX 256
#define TICK_NS 10000000
#define SET_UP_BOUND_NS 60000000000ULL
#define END_BOUND_NS 5000000000ULL

#define SOURCE_ADDRESSES 200

void load_die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

void *load_alloc(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		load_die("memory");
	return memory;
}

uint64_t load_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void control_epoll(struct watch *watch, int operation, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (epoll_ctl(watch->load->epoll, operation, watch->fd, &event) < 0)
		load_die("epoll_ctl");
}

void load_watch(struct load *load, struct watch *watch, uint32_t events)
{
	watch->load = load;
	control_epoll(watch, EPOLL_CTL_ADD, events);
}

void load_rewatch(struct watch *watch, uint32_t events)
{
	control_epoll(watch, EPOLL_CTL_MOD, events);
}

static bool is_for_want_of_ports(int error)
{
	return error == EADDRNOTAVAIL || error == EADDRINUSE;
}

int load_connect(struct load *load, unsigned number, int type)
{
	struct sockaddr_in source = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number % SOURCE_ADDRESSES),
	};
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1, error;

	if (fd < 0)
		load_die("socket");
	/* connect() chooses the port, as one that is free for this pair of addresses. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&source, sizeof source) < 0)
		load_die("bind");
	if (connect(fd, (struct sockaddr *)&load->target, sizeof load->target) == 0 ||
	    errno == EINPROGRESS)
		return fd;
	if (is_for_want_of_ports(errno))
		load_die("connect");
	error = -errno;
	close(fd);
	return error;
}

void load_ready(struct load *load)
{
	load->ready++;
}

uint64_t load_begin(struct load *load)
{
	load->busy++;
	return load_now_ns();
}

void load_count(struct load *load, uint64_t operations)
{
	load->counts->all += operations;
	if (load->phase == PHASE_RUNNING)
		load->counts->operations += operations;
}

void load_fault(struct load *load, enum outcome outcome)
{
	if (outcome == OUTCOME_FAILED)
		load->counts->failed++;
	else if (outcome == OUTCOME_WRONG)
		load->counts->wrong++;
}

void load_end(struct load *load, uint64_t began_ns, enum outcome outcome, uint64_t operations)
{
	load->busy--;
	if (outcome != OUTCOME_DONE) {
		load_fault(load, outcome);
		return;
	}
	load_count(load, operations);
	if (load->phase == PHASE_RUNNING)
		histogram_add(&load->counts->latency, load_now_ns() - began_ns);
}

void load_found(struct load *load)
{
	load->counts->failed--;
	load_count(load, 1);
}

unsigned load_number(const struct load *load, unsigned client)
{
	return load->process * load->clients + client;
}

ssize_t load_receive(int fd, void *buffer, size_t size)
{
	ssize_t length = recv(fd, buffer, size, 0);

	return length < 0 ? -errno : length;
}

ssize_t load_send(int fd, const void *data, size_t length)
{
	ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);

	return sent < 0 ? -errno : sent;
}

static void enter(struct load *load, enum phase phase)
{
	load->phase = phase;
	load->phase_began_ns = load_now_ns();
}

static void tell(struct load *load, char what)
{
	if (load_send(load->control.fd, &what, 1) != 1)
		exit(EXIT_FAILURE);
}

static void on_control(struct watch *watch, uint32_t events)
{
	struct load *load = watch->load;
	char what;

	(void)events;
	if (load_receive(watch->fd, &what, 1) != 1)
		exit(EXIT_SUCCESS);
	if (load->phase != PHASE_READY)
		return;
	/* What was needed to set up is not counted, unless it went wrong. */
	load->counts->operations = load->counts->all = 0;
	load->counts->latency = (struct histogram){0};
	enter(load, PHASE_RUNNING);
	if (load->mode->start)
		load->mode->start(load);
}

static void on_listener(struct watch *watch, uint32_t events)
{
	struct load *load = watch->load;

	(void)events;
	for (;;) {
		int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			load->mode->backend(load, fd);
		else if (errno == EAGAIN || errno == ECONNABORTED)
			return;
		else
			load_die("accept");
	}
}

static void begin(struct load *load, int control)
{
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (load->epoll < 0)
		load_die("epoll_create1");
	load->control = (struct watch){.happened = on_control, .fd = control};
	load_watch(load, &load->control, EPOLLIN);
	if (load->backend_fd >= 0 && load->mode->backend) {
		load->listener = (struct watch){.happened = on_listener, .fd = load->backend_fd};
		load_watch(load, &load->listener, EPOLLIN | EPOLLEXCLUSIVE);
	} else if (load->backend_fd >= 0) {
		load->mode->datagram_backend(load);
	}
	enter(load, PHASE_SETTING_UP);
	load->mode->set_up(load);
}

static void stop(struct load *load, uint64_t now_ns)
{
	load->counts->elapsed_ns = now_ns - load->phase_began_ns;
	enter(load, PHASE_ENDING);
	if (load->mode->stop)
		load->mode->stop(load);
}

static bool has_run(const struct load *load, uint64_t now_ns)
{
	return (load->once && load->busy == 0) || now_ns - load->phase_began_ns >= load->run_ns;
}

/* Goes on to the next phase where it is time. */
static void advance(struct load *load)
{
	uint64_t now_ns = load_now_ns();

	if (load->phase == PHASE_SETTING_UP && load->ready >= load->clients) {
		enter(load, PHASE_READY);
		tell(load, 'r');
	}
	if (load->phase == PHASE_SETTING_UP && now_ns - load->phase_began_ns > SET_UP_BOUND_NS) {
		errno = ETIMEDOUT;
		load_die("the server does not serve");
	}
	if (load->phase == PHASE_RUNNING && has_run(load, now_ns))
		stop(load, now_ns);
	else if (load->phase == PHASE_ENDING &&
		 (load->busy == 0 || now_ns - load->phase_began_ns > END_BOUND_NS)) {
		load->counts->failed += load->busy;
		enter(load, PHASE_DONE);
		tell(load, 'd');
	}
}

static void tick(struct load *load)
{
	uint64_t now_ns;

	if (!load->mode->tick || (load->phase != PHASE_RUNNING && load->phase != PHASE_ENDING))
		return;
	now_ns = load_now_ns();
	if (now_ns - load->tick_ns >= TICK_NS) {
		load->tick_ns = now_ns;
		load->mode->tick(load);
	}
}

void load_run(struct load *load, int control)
{
	struct epoll_event events[EVENTS_MAX];

	begin(load, control);
	for (;;) {
		int count = epoll_wait(load->epoll, events, EVENTS_MAX, TICK_NS / 1000000);

		if (count < 0 && errno != EINTR)
			load_die("epoll_wait");
		for (int i = 0; i < count; i++) {
			struct watch *watch = events[i].data.ptr;

			watch->happened(watch, events[i].events);
		}
		tick(load);
		advance(load);
	}
}
