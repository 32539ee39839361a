/* What every reactor does in the same way: calls for later, guests, counting. */
#include "private.h"

#include <errno.h>

static void queue_init(struct call_queue *queue)
{
	queue->first = NULL;
	queue->last = &queue->first;
}

static void queue_append(struct call_queue *queue, struct adopt_call *call)
{
	call->waiting = true;
	call->next = NULL;
	*queue->last = call;
	queue->last = &call->next;
}

/* Returns whether the call was in the queue. */
static bool queue_remove(struct call_queue *queue, struct adopt_call *call)
{
	struct adopt_call **at = &queue->first;

	while (*at && *at != call)
		at = &(*at)->next;
	if (!*at)
		return false;
	*at = call->next;
	if (!*at)
		queue->last = at;
	call->next = NULL;
	call->waiting = false;
	return true;
}

static struct adopt_call *queue_pop(struct call_queue *queue)
{
	struct adopt_call *call = queue->first;

	queue->first = call->next;
	if (!queue->first)
		queue->last = &queue->first;
	call->next = NULL;
	return call;
}

int adopt_reactor_init(struct adopt_reactor *reactor, const struct adopt_reactor_ops *ops)
{
	*reactor = (struct adopt_reactor){.ops = ops};
	queue_init(&reactor->calls);
	queue_init(&reactor->thread_calls);
	queue_init(&reactor->taken_calls);
	return -pthread_mutex_init(&reactor->lock, NULL);
}

void adopt_reactor_done(struct adopt_reactor *reactor)
{
	while (reactor->calls.first)
		queue_pop(&reactor->calls)->waiting = false;
	while (reactor->taken_calls.first)
		queue_pop(&reactor->taken_calls)->waiting = false;
	while (reactor->thread_calls.first)
		queue_pop(&reactor->thread_calls)->waiting = false;
	pthread_mutex_destroy(&reactor->lock);
}

void adopt_call_soon(struct adopt_reactor *reactor, struct adopt_call *call)
{
	if (call->waiting)
		return;
	if (!reactor->calls.first)
		reactor->ops->wake(reactor);
	queue_append(&reactor->calls, call);
}

void adopt_call_cancel(struct adopt_reactor *reactor, struct adopt_call *call)
{
	if (call->waiting)
		queue_remove(&reactor->calls, call);
}

void adopt_call_from_thread_cancel(struct adopt_reactor *reactor, struct adopt_call *call)
{
	pthread_mutex_lock(&reactor->lock);
	if (!queue_remove(&reactor->thread_calls, call))
		queue_remove(&reactor->taken_calls, call);
	pthread_mutex_unlock(&reactor->lock);
}

void adopt_call_from_thread(struct adopt_reactor *reactor, struct adopt_call *call)
{
	bool first = false;

	pthread_mutex_lock(&reactor->lock);
	if (!call->waiting) {
		first = !reactor->thread_calls.first;
		queue_append(&reactor->thread_calls, call);
	}
	pthread_mutex_unlock(&reactor->lock);
	if (first)
		reactor->ops->wake_from_thread(reactor);
}

/* Another thread may ask for a call again as soon as it does not wait any more: so it
 * is in the queues of the lock alone. */
bool adopt_calls_take(struct adopt_reactor *reactor)
{
	struct adopt_call *call;
	bool any = false;

	pthread_mutex_lock(&reactor->lock);
	if (reactor->thread_calls.first) {
		*reactor->taken_calls.last = reactor->thread_calls.first;
		reactor->taken_calls.last = reactor->thread_calls.last;
		queue_init(&reactor->thread_calls);
	}
	while (reactor->taken_calls.first) {
		call = queue_pop(&reactor->taken_calls);
		call->waiting = false;
		pthread_mutex_unlock(&reactor->lock);
		call->run(call);
		any = true;
		pthread_mutex_lock(&reactor->lock);
	}
	pthread_mutex_unlock(&reactor->lock);
	return any;
}

bool adopt_calls_waiting(const struct adopt_reactor *reactor)
{
	return reactor->calls.first != NULL;
}

static void run_mark(struct adopt_call *call)
{
	(void)call;
}

void adopt_calls_run(struct adopt_reactor *reactor)
{
	/* A mark behind what waits now: what is asked for meanwhile comes after it,
	   and cancelling needs to look at one queue only. */
	struct adopt_call mark = {.run = run_mark};
	struct adopt_call *call;

	queue_append(&reactor->calls, &mark);
	while ((call = queue_pop(&reactor->calls)) != &mark) {
		call->waiting = false;
		call->run(call);
	}
	if (reactor->calls.first)
		reactor->ops->wake(reactor);
}

void adopt_guest_add(struct adopt_reactor *reactor, struct adopt_guest *guest)
{
	guest->next = reactor->guests;
	guest->place = &reactor->guests;
	if (guest->next)
		guest->next->place = &guest->next;
	reactor->guests = guest;
}

void adopt_guest_remove(struct adopt_guest *guest)
{
	*guest->place = guest->next;
	if (guest->next)
		guest->next->place = guest->place;
}

void adopt_guests_leave(struct adopt_reactor *reactor)
{
	struct adopt_guest *guest;

	while ((guest = reactor->guests)) {
		adopt_guest_remove(guest);
		guest->leave(guest);
	}
}

int adopt_factory_port_starts(struct adopt_factory *factory)
{
	int error = 0;

	if (factory->ports == 0 && factory->ops->start)
		error = factory->ops->start(factory);
	if (error < 0)
		return error;
	factory->ports++;
	return 0;
}

void adopt_factory_port_stopped(struct adopt_factory *factory)
{
	if (--factory->ports == 0 && factory->ops->stop)
		factory->ops->stop(factory);
}

void adopt_count_port(struct adopt_reactor *reactor)
{
	reactor->port_count++;
}

void adopt_count_port_stopped(struct adopt_reactor *reactor)
{
	struct adopt_observer *observer = reactor->observer;

	reactor->port_count--;
	if (observer && observer->ops->port_stopped)
		observer->ops->port_stopped(observer);
}

void adopt_count_connection(struct adopt_transport *transport)
{
	struct adopt_observer *observer = transport->reactor->observer;

	transport->reactor->connection_count++;
	if (observer && observer->ops->connection_begins)
		observer->ops->connection_begins(observer, transport);
}

void adopt_count_connection_ended(struct adopt_reactor *reactor, int error)
{
	struct adopt_observer *observer = reactor->observer;

	reactor->connection_count--;
	if (observer && observer->ops->connection_ended)
		observer->ops->connection_ended(observer, error);
}

void adopt_datagrams_tell(struct adopt_datagram_protocol *protocol,
			  const struct adopt_datagram *datagrams, size_t count)
{
	if (protocol->ops->datagrams_received) {
		protocol->ops->datagrams_received(protocol, datagrams, count);
		return;
	}
	for (size_t i = 0; i < count; i++)
		protocol->ops->datagram_received(protocol, &datagrams[i]);
}

struct adopt_end adopt_end_of(const struct adopt_transport *transport, int error)
{
	return (struct adopt_end){
		.error = error,
		.received = transport->received,
		.sent = transport->sent,
	};
}

void adopt_attachments_end(struct adopt_attachment *attachments, const struct adopt_end *end)
{
	while (attachments) {
		struct adopt_attachment *next = attachments->next;

		attachments->ended(attachments, end);
		attachments = next;
	}
}
