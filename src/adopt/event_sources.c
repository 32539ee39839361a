/* Timers, foreign descriptors and signals of the reactor on libevent. */
#include "event_reactor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

/* Timers that there is room for at first, and a time at which none is due. */
#define FIRST_TIMERS 8
#define FAR_MS (1000ull * 60 * 60)

struct event_timer {
	struct adopt_timer base;
	struct event event;
};

static void elapsed(evutil_socket_t fd, short what, void *argument)
{
	struct event_timer *timer = argument;

	(void)fd;
	(void)what;
	timer->base.elapsed(timer->base.context);
}

/* libevent has a heap of the timers that run, and never makes it smaller. */
static int enlarge_heap(struct event_base *events, size_t size)
{
	struct timeval far = event_time(FAR_MS);
	struct event *fillers = calloc(size, sizeof *fillers);
	size_t count = 0;
	int error = 0;

	if (!fillers)
		return -ENOMEM;
	while (error == 0 && count < size) {
		struct event *filler = &fillers[count++];

		event_assign(filler, events, -1, 0, elapsed, NULL);
		if (event_add(filler, &far) < 0)
			error = -ENOMEM;
	}
	while (count > 0)
		event_del(&fillers[--count]);
	free(fillers);
	return error;
}

int event_timers_reserve(struct event_reactor *reactor)
{
	size_t room = reactor->timer_room > 0 ? 2 * reactor->timer_room : FIRST_TIMERS;
	int error = 0;

	if (reactor->timers == reactor->timer_room)
		error = enlarge_heap(reactor->events, room);
	if (error < 0)
		return error;
	if (reactor->timers == reactor->timer_room)
		reactor->timer_room = room;
	reactor->timers++;
	return 0;
}

void event_timers_release(struct event_reactor *reactor)
{
	reactor->timers--;
}

int event_timer_new(struct adopt_reactor *reactor, struct adopt_timer **ret)
{
	struct event_timer *timer = calloc(1, sizeof *timer);
	int error = timer ? event_timers_reserve(event_reactor(reactor)) : -ENOMEM;

	if (error < 0) {
		free(timer);
		return error;
	}
	event_assign(&timer->event, event_reactor(reactor)->events, -1, 0, elapsed, timer);
	*ret = &timer->base;
	return 0;
}

void event_timer_start(struct adopt_timer *base, uint64_t delay_ms)
{
	struct event_timer *timer = (struct event_timer *)base;
	struct timeval delay = event_time(delay_ms);

	event_add(&timer->event, &delay);
}

void event_timer_stop(struct adopt_timer *base)
{
	struct event_timer *timer = (struct event_timer *)base;

	event_del(&timer->event);
}

void event_timer_free(struct adopt_timer *base)
{
	event_timer_stop(base);
	event_timers_release(event_reactor(base->reactor));
	free(base);
}

static void readable(evutil_socket_t fd, short what, void *argument)
{
	struct adopt_watcher *watcher = argument;

	(void)fd;
	(void)what;
	watcher->ops->readable(watcher);
}

static void writable(evutil_socket_t fd, short what, void *argument)
{
	struct adopt_watcher *watcher = argument;

	(void)fd;
	(void)what;
	watcher->ops->writable(watcher);
}

static int watch(struct adopt_reactor *reactor, int fd, short what, event_callback_fn callback,
		 struct adopt_watcher *watcher, void **slot)
{
	struct event *event;

	if (*slot)
		return 0;
	if (!event_reactor_carries(event_reactor(reactor), fd))
		return -EMFILE;
	/* Not every backend would notice. */
	if (fcntl(fd, F_GETFD) < 0)
		return -errno;
	event = event_new(event_reactor(reactor)->events, fd, what | EV_PERSIST, callback, watcher);
	if (!event)
		return -ENOMEM;
	errno = EINVAL;
	if (event_add(event, NULL) < 0) {
		int error = -errno;

		event_free(event);
		return error;
	}
	*slot = event;
	return 0;
}

static void unwatch(void **slot)
{
	if (*slot)
		event_free(*slot);
	*slot = NULL;
}

int event_reader_add(struct adopt_reactor *reactor, struct adopt_watcher *watcher)
{
	return watch(reactor, watcher->fd, EV_READ, readable, watcher, &watcher->reader);
}

void event_reader_remove(struct adopt_reactor *reactor, struct adopt_watcher *watcher)
{
	(void)reactor;
	unwatch(&watcher->reader);
}

int event_writer_add(struct adopt_reactor *reactor, struct adopt_watcher *watcher)
{
	return watch(reactor, watcher->fd, EV_WRITE, writable, watcher, &watcher->writer);
}

void event_writer_remove(struct adopt_reactor *reactor, struct adopt_watcher *watcher)
{
	(void)reactor;
	unwatch(&watcher->writer);
}

struct event_signal {
	struct adopt_signal base;
	struct event event;
};

static void received(evutil_socket_t number, short what, void *argument)
{
	struct event_signal *signal = argument;

	(void)number;
	(void)what;
	signal->base.received(signal->base.context);
}

int event_signal_new(struct adopt_reactor *reactor, int number, struct adopt_signal **ret)
{
	struct event_signal *signal = calloc(1, sizeof *signal);

	if (!signal)
		return -ENOMEM;
	errno = EINVAL;
	if (evsignal_assign(&signal->event, event_reactor(reactor)->events, number, received,
			    signal) < 0 ||
	    evsignal_add(&signal->event, NULL) < 0) {
		int error = -errno;

		free(signal);
		return error;
	}
	*ret = &signal->base;
	return 0;
}

void event_signal_free(struct adopt_signal *base)
{
	struct event_signal *signal = (struct event_signal *)base;

	evsignal_del(&signal->event);
	free(signal);
}
