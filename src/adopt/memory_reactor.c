#include "memory.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct memory_signal {
	struct adopt_signal base;
	int number;
	LIST_ENTRY(memory_signal) link;
};

struct adopt_address memory_own_address(int family)
{
	struct adopt_address address = {0};
	const char *text = "vsock:2:80";

	if (family == AF_INET || family == AF_UNSPEC)
		text = "192.0.2.1:80";
	else if (family == AF_INET6)
		text = "[2001:db8::1]:80";
	else if (family == AF_UNIX)
		text = "unix:/run/memory.sock";
	adopt_address_parse(text, &address);
	return address;
}

void *memory_copy(const void *data, size_t length)
{
	void *copy = malloc(length > 0 ? length : 1);

	if (copy && length > 0)
		memcpy(copy, data, length);
	return copy;
}

static void memory_free(struct adopt_reactor *base)
{
	struct memory_reactor *reactor = memory_reactor_of(base);

	assert(!reactor->running);
	reactor->freeing = true;
	memory_ports_end(reactor);
	memory_connectors_end(reactor);
	memory_transports_end(reactor);
	adopt_guests_leave(base);
	adopt_reactor_done(base);
	free(reactor->port_records);
	free(reactor->connection_records);
	free(reactor->connect_records);
	free(reactor->readers.items);
	free(reactor->writers.items);
	free(reactor);
}

static bool turn(struct adopt_reactor *reactor)
{
	bool own = adopt_calls_waiting(reactor);

	if (own)
		adopt_calls_run(reactor);
	return adopt_calls_take(reactor) || own;
}

static int memory_run(struct adopt_reactor *base)
{
	struct memory_reactor *reactor = memory_reactor_of(base);

	if (reactor->running)
		return -EBUSY;
	reactor->running = true;
	while (!reactor->stopping && turn(base))
		;
	reactor->running = false;
	reactor->stopping = false;
	return 0;
}

static void memory_stop(struct adopt_reactor *reactor)
{
	memory_reactor_of(reactor)->stopping = true;
}

bool adopt_memory_stopping(const struct adopt_reactor *reactor)
{
	return ((const struct memory_reactor *)reactor)->stopping;
}

static uint64_t memory_now_ms(const struct adopt_reactor *reactor)
{
	return ((const struct memory_reactor *)reactor)->now_ms;
}

void adopt_memory_advance(struct adopt_reactor *base, uint64_t ms)
{
	struct memory_reactor *reactor = memory_reactor_of(base);
	uint64_t end_ms = reactor->now_ms + ms;
	struct memory_timer *timer;

	assert(!reactor->running);
	reactor->running = true;
	while (turn(base))
		;
	while ((timer = TAILQ_FIRST(&reactor->timers)) && timer->due_ms <= end_ms) {
		reactor->now_ms = timer->due_ms;
		memory_timer_stop(&timer->base);
		timer->base.elapsed(timer->base.context);
		while (turn(base))
			;
	}
	reactor->now_ms = end_ms;
	reactor->running = false;
}

/* Each advance and each run looks at the queues by itself. */
static void memory_wake(struct adopt_reactor *reactor)
{
	(void)reactor;
}

static int memory_timer_new(struct adopt_reactor *reactor, struct adopt_timer **ret)
{
	struct memory_timer *timer = calloc(1, sizeof *timer);

	(void)reactor;
	if (!timer)
		return -ENOMEM;
	*ret = &timer->base;
	return 0;
}

void memory_timer_stop(struct adopt_timer *base)
{
	struct memory_timer *timer = (struct memory_timer *)base;

	if (timer->running)
		TAILQ_REMOVE(&memory_reactor_of(base->reactor)->timers, timer, link);
	timer->running = false;
}

void memory_timer_start(struct adopt_timer *base, uint64_t delay_ms)
{
	struct memory_timer *timer = (struct memory_timer *)base, *before;
	struct memory_reactor *reactor = memory_reactor_of(base->reactor);

	memory_timer_stop(base);
	timer->due_ms =
		delay_ms > UINT64_MAX - reactor->now_ms ? UINT64_MAX : reactor->now_ms + delay_ms;
	timer->running = true;
	/* From the last one on: among many timers of one delay, that is its place. */
	TAILQ_FOREACH_REVERSE (before, &reactor->timers, memory_timers, link) {
		if (before->due_ms <= timer->due_ms)
			break;
	}
	if (before)
		TAILQ_INSERT_AFTER(&reactor->timers, before, timer, link);
	else
		TAILQ_INSERT_HEAD(&reactor->timers, timer, link);
}

static void memory_timer_free(struct adopt_timer *timer)
{
	memory_timer_stop(timer);
	free(timer);
}

static int watcher_add(struct memory_watchers *watchers, struct adopt_watcher *watcher, void **mark)
{
	struct adopt_watcher **items;

	if (*mark)
		return 0;
	items = realloc(watchers->items, (watchers->count + 1) * sizeof(struct adopt_watcher *));
	if (!items)
		return -ENOMEM;
	items[watchers->count++] = watcher;
	watchers->items = items;
	*mark = watcher;
	return 0;
}

static void watcher_remove(struct memory_watchers *watchers, struct adopt_watcher *watcher,
			   void **mark)
{
	size_t kept = 0;

	if (!*mark)
		return;
	for (size_t i = 0; i < watchers->count; i++) {
		if (watchers->items[i] != watcher)
			watchers->items[kept++] = watchers->items[i];
	}
	watchers->count = kept;
	*mark = NULL;
}

static int memory_reader_add(struct adopt_reactor *reactor, struct adopt_watcher *watcher)
{
	return watcher_add(&memory_reactor_of(reactor)->readers, watcher, &watcher->reader);
}

static void memory_reader_remove(struct adopt_reactor *reactor, struct adopt_watcher *watcher)
{
	watcher_remove(&memory_reactor_of(reactor)->readers, watcher, &watcher->reader);
}

static int memory_writer_add(struct adopt_reactor *reactor, struct adopt_watcher *watcher)
{
	return watcher_add(&memory_reactor_of(reactor)->writers, watcher, &watcher->writer);
}

static void memory_writer_remove(struct adopt_reactor *reactor, struct adopt_watcher *watcher)
{
	watcher_remove(&memory_reactor_of(reactor)->writers, watcher, &watcher->writer);
}

static int memory_signal_new(struct adopt_reactor *reactor, int number, struct adopt_signal **ret)
{
	struct memory_signal *new_signal;
	sigset_t set;

	sigemptyset(&set);
	if (sigaddset(&set, number) < 0)
		return -EINVAL;
	new_signal = calloc(1, sizeof *new_signal);
	if (!new_signal)
		return -ENOMEM;
	new_signal->number = number;
	LIST_INSERT_HEAD(&memory_reactor_of(reactor)->signals, new_signal, link);
	*ret = &new_signal->base;
	return 0;
}

static void memory_signal_free(struct adopt_signal *base)
{
	struct memory_signal *gone = (struct memory_signal *)base;

	LIST_REMOVE(gone, link);
	free(gone);
}

bool adopt_memory_signal(struct adopt_reactor *reactor, int number)
{
	struct memory_signal *at;

	LIST_FOREACH (at, &memory_reactor_of(reactor)->signals, link) {
		if (at->number == number) {
			at->base.received(at->base.context);
			return true;
		}
	}
	return false;
}

static int memory_stream_connection(struct adopt_reactor *base, int fd, int family,
				    struct adopt_factory *factory)
{
	struct memory_reactor *reactor = memory_reactor_of(base);
	struct adopt_memory_connection *records;

	if (reactor->freeing)
		return -ECANCELED;
	if (reactor->connect_error < 0)
		return reactor->connect_error;
	records = realloc(reactor->connection_records,
			  (reactor->connection_record_count + 1) * sizeof *records);
	if (!records)
		return -ENOMEM;
	records[reactor->connection_record_count++] =
		(struct adopt_memory_connection){.fd = fd, .family = family, .factory = factory};
	reactor->connection_records = records;
	return 0;
}

static const struct adopt_reactor_ops memory_ops = {
	.free = memory_free,
	.run = memory_run,
	.stop = memory_stop,
	.now_ms = memory_now_ms,
	.wake = memory_wake,
	.wake_from_thread = memory_wake,
	.timer_new = memory_timer_new,
	.timer_start = memory_timer_start,
	.timer_stop = memory_timer_stop,
	.timer_free = memory_timer_free,
	.reader_add = memory_reader_add,
	.reader_remove = memory_reader_remove,
	.writer_add = memory_writer_add,
	.writer_remove = memory_writer_remove,
	.signal_new = memory_signal_new,
	.signal_free = memory_signal_free,
	.stream_port = memory_stream_port,
	.stream_connection = memory_stream_connection,
	.datagram_port = memory_datagram_port,
	.watched_port = memory_watched_port,
	.connect_stream = memory_connect_stream,
};

int adopt_raising_memory_reactor_new(int listen_error, int connect_error,
				     struct adopt_reactor **ret)
{
	struct memory_reactor *reactor = calloc(1, sizeof *reactor);
	int error;

	if (!reactor)
		return -ENOMEM;
	error = adopt_reactor_init(&reactor->base, &memory_ops);
	if (error < 0) {
		free(reactor);
		return error;
	}
	TAILQ_INIT(&reactor->timers);
	reactor->listen_error = listen_error;
	reactor->connect_error = connect_error;
	/* A real clock is never at 0 either: code that takes 0 for `never` shows. */
	reactor->now_ms = 1000;
	*ret = &reactor->base;
	return 0;
}

int adopt_memory_reactor_new(struct adopt_reactor **ret)
{
	return adopt_raising_memory_reactor_new(0, 0, ret);
}

size_t adopt_memory_ports(struct adopt_reactor *reactor, const struct adopt_memory_port **ret)
{
	*ret = memory_reactor_of(reactor)->port_records;
	return memory_reactor_of(reactor)->port_record_count;
}

size_t adopt_memory_connections(struct adopt_reactor *reactor,
				const struct adopt_memory_connection **ret)
{
	*ret = memory_reactor_of(reactor)->connection_records;
	return memory_reactor_of(reactor)->connection_record_count;
}

size_t adopt_memory_connects(struct adopt_reactor *reactor, const struct adopt_memory_connect **ret)
{
	*ret = memory_reactor_of(reactor)->connect_records;
	return memory_reactor_of(reactor)->connect_record_count;
}

size_t adopt_memory_readers(struct adopt_reactor *reactor, struct adopt_watcher *const **ret)
{
	*ret = memory_reactor_of(reactor)->readers.items;
	return memory_reactor_of(reactor)->readers.count;
}

size_t adopt_memory_writers(struct adopt_reactor *reactor, struct adopt_watcher *const **ret)
{
	*ret = memory_reactor_of(reactor)->writers.items;
	return memory_reactor_of(reactor)->writers.count;
}
