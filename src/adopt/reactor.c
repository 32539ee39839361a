/* The reactor on libevent: its beginning, its loop, its end. */
#include "datagram_batch.h"
#include "event_port.h"
#include "socket.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

/* What libevent opens for a base: the queue of the kernel, a pair for signals,
 * and on some systems a timer. */
#define EVENT_DESCRIPTORS 4

/* `soon` and `run_due`. */
#define OWN_TIMERS 2

/* How often a thread that wakes the loop tries to. */
#define WAKE_TRIES 100

struct event_reactor *event_reactor(struct adopt_reactor *reactor)
{
	return (struct event_reactor *)reactor;
}

struct timeval event_time(uint64_t ms)
{
	return (struct timeval){.tv_sec = (time_t)(ms / 1000),
				.tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

static uint64_t now_ms(const struct adopt_reactor *base)
{
	struct timespec now;

	(void)base;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int run(struct adopt_reactor *base)
{
	struct event_reactor *reactor = event_reactor(base);
	int error = 0;

	if (reactor->running)
		return -EBUSY;
	reactor->running = true;
	if (!reactor->stopped && event_base_loop(reactor->events, EVLOOP_NO_EXIT_ON_EMPTY) < 0)
		error = -EIO;
	reactor->running = false;
	reactor->stopped = false;
	return error;
}

static void stop(struct adopt_reactor *base)
{
	struct event_reactor *reactor = event_reactor(base);

	reactor->stopped = true;
	event_base_loopbreak(reactor->events);
}

/* A timer of no time fires after the next look at the descriptors, so that calls
 * which ask for calls cannot starve them. */
static void wake(struct adopt_reactor *base)
{
	struct timeval at_once = {0};

	event_add(&event_reactor(base)->soon, &at_once);
}

static void run_calls(evutil_socket_t fd, short what, void *argument)
{
	struct event_reactor *reactor = argument;

	(void)fd;
	(void)what;
	adopt_calls_run(&reactor->base);
}

static void wake_from_thread(struct adopt_reactor *base)
{
	int tries = WAKE_TRIES;

	/* A full pipe wakes as well; for one that is empty, memory may be short. */
	while (write(event_reactor(base)->wake_fds[1], "", 1) < 0 && errno != EAGAIN && --tries > 0)
		sched_yield();
}

static void take_calls(evutil_socket_t fd, short what, void *argument)
{
	struct event_reactor *reactor = argument;
	char bytes[64];

	(void)what;
	while (read(fd, bytes, sizeof bytes) > 0)
		;
	adopt_calls_take(&reactor->base);
}

static void release(struct event_reactor *reactor)
{
	if (reactor->events) {
		event_del(&reactor->soon);
		event_del(&reactor->run_due);
		event_del(&reactor->woken);
		event_base_free(reactor->events);
	}
	pipe_pool_done(&reactor->pipes);
	datagram_batch_free(&reactor->datagrams);
	socket_close(reactor->wake_fds[0]);
	socket_close(reactor->wake_fds[1]);
	socket_close(reactor->reserve_fd);
	adopt_reactor_done(&reactor->base);
	free(reactor);
}

static void reactor_free(struct adopt_reactor *base)
{
	struct event_reactor *reactor = event_reactor(base);

	assert(!reactor->running);
	reactor->ending = true;
	while (!LIST_EMPTY(&reactor->ports))
		event_port_end(LIST_FIRST(&reactor->ports));
	while (!LIST_EMPTY(&reactor->connecting))
		stream_connect_end(LIST_FIRST(&reactor->connecting));
	while (!LIST_EMPTY(&reactor->streams))
		stream_end(LIST_FIRST(&reactor->streams));
	adopt_guests_leave(base);
	release(reactor);
}

static const struct adopt_reactor_ops ops = {
	.free = reactor_free,
	.run = run,
	.stop = stop,
	.now_ms = now_ms,
	.wake = wake,
	.wake_from_thread = wake_from_thread,
	.timer_new = event_timer_new,
	.timer_start = event_timer_start,
	.timer_stop = event_timer_stop,
	.timer_free = event_timer_free,
	.reader_add = event_reader_add,
	.reader_remove = event_reader_remove,
	.writer_add = event_writer_add,
	.writer_remove = event_writer_remove,
	.signal_new = event_signal_new,
	.signal_free = event_signal_free,
	.stream_port = event_stream_port,
	.stream_connection = event_stream_connection,
	.datagram_port = event_datagram_port,
	.watched_port = event_watched_port,
	.connect_stream = event_connect_stream,
};

/* One thread uses a base: libevent need not lock it. */
static struct event_base *new_events(void)
{
	struct event_config *config = event_config_new();
	struct event_base *events = NULL;

	if (config && event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0)
		events = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	return events;
}

static int new_wake_pipe(int fds[2])
{
#ifdef HAVE_PIPE2
	return pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0 ? -errno : 0;
#else
	int error;

	if (pipe(fds) < 0)
		return -errno;
	error = adopt_descriptor_prepare(fds[0]);
	if (error == 0)
		error = adopt_descriptor_prepare(fds[1]);
	return error;
#endif
}

/* Where libevent finds too few descriptors it takes a worse backend, or ends the
 * process: what it will open is tried before. */
static int try_descriptors(int fd)
{
	int tried[EVENT_DESCRIPTORS], count = 0, error = 0;

	while (count < EVENT_DESCRIPTORS && error == 0) {
		tried[count] = socket_duplicate(fd);
		if (tried[count] < 0)
			error = tried[count];
		else
			count++;
	}
	while (count > 0)
		socket_close(tried[--count]);
	return error;
}

bool event_reactor_carries(const struct event_reactor *reactor, int fd)
{
	return fd < reactor->fd_end;
}

int event_reactor_keep(const struct event_reactor *reactor, int fd)
{
	if (fd < 0 || event_reactor_carries(reactor, fd))
		return fd;
	socket_close(fd);
	return -EMFILE;
}

/* Descriptors come from the lowest number on: with the next one all before can be watched,
 * libevent's own too. */
static int judge_backend(struct event_reactor *reactor)
{
	bool selects = strcmp(event_base_get_method(reactor->events), "select") == 0;
	int features = event_base_get_features(reactor->events), next;

	reactor->edges = (features & EV_FEATURE_ET) != 0;
	reactor->hang_up = features & EV_FEATURE_EARLY_CLOSE ? EV_CLOSED : 0;
	reactor->fd_end = selects ? FD_SETSIZE : INT_MAX;
	next = event_reactor_keep(reactor, socket_duplicate(reactor->reserve_fd));
	if (next < 0)
		return next;
	socket_close(next);
	return 0;
}

static int open_parts(struct event_reactor *reactor)
{
	int error = new_wake_pipe(reactor->wake_fds);

	if (error < 0)
		return error;
	reactor->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (reactor->reserve_fd < 0)
		return -errno;
	error = try_descriptors(reactor->reserve_fd);
	if (error < 0)
		return error;
	reactor->events = new_events();
	if (!reactor->events)
		return -ENOMEM;
	error = judge_backend(reactor);
	if (error < 0)
		return error;
	event_assign(&reactor->soon, reactor->events, -1, 0, run_calls, reactor);
	event_assign(&reactor->run_due, reactor->events, -1, 0, event_reactor_on_due, reactor);
	event_assign(&reactor->woken, reactor->events, reactor->wake_fds[0], EV_READ | EV_PERSIST,
		     take_calls, reactor);
	for (int i = 0; i < OWN_TIMERS; i++) {
		error = event_timers_reserve(reactor);
		if (error < 0)
			return error;
	}
	errno = ENOMEM;
	return event_add(&reactor->woken, NULL) < 0 ? -errno : 0;
}

static void say_nothing(int severity, const char *message)
{
	(void)severity;
	(void)message;
}

int adopt_reactor_new(struct adopt_reactor **ret)
{
	struct event_reactor *reactor = calloc(1, sizeof *reactor);
	int error;

	if (!reactor)
		return -ENOMEM;
	event_set_log_callback(say_nothing);
	error = adopt_reactor_init(&reactor->base, &ops);
	if (error < 0) {
		free(reactor);
		return error;
	}
	reactor->wake_fds[0] = reactor->wake_fds[1] = reactor->reserve_fd = -1;
	LIST_INIT(&reactor->streams);
	STAILQ_INIT(&reactor->due);
	LIST_INIT(&reactor->ports);
	LIST_INIT(&reactor->connecting);
	error = open_parts(reactor);
	if (error < 0) {
		release(reactor);
		return error;
	}
	*ret = &reactor->base;
	return 0;
}
