#include "memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct memory_transport {
	struct adopt_transport base;
	struct adopt_address own;
	unsigned char *queue; /* written, and not taken by the peer */
	size_t queued;
	bool paused;
	bool read_shut;
	bool write_shut;
	bool closing;
	bool lost; /* connection_lost has been asked for */
	int error; /* why */
	struct adopt_call ending;
	unsigned char *held; /* came, and a protocol that peeks has left it there */
	size_t held_length;
	bool held_end;
	struct adopt_call release; /* gives what is held to a protocol that reads */
	uint64_t idle_ms;          /* the idle timeout asked for */
	LIST_ENTRY(memory_transport) link;
};

static struct memory_transport *of(struct adopt_transport *transport)
{
	return (struct memory_transport *)transport;
}

static void end(struct memory_transport *transport)
{
	struct adopt_reactor *reactor = transport->base.reactor;
	struct adopt_protocol *protocol = transport->base.protocol;
	struct adopt_attachment *attachments = transport->base.attachments;
	struct adopt_end end = adopt_end_of(&transport->base, transport->error);

	adopt_call_cancel(reactor, &transport->ending);
	adopt_call_cancel(reactor, &transport->release);
	LIST_REMOVE(transport, link);
	free(transport->held);
	free(transport->queue);
	address_forget(&transport->base.peer);
	free(transport);
	protocol->transport = NULL;
	protocol->ops->connection_lost(protocol, end.error);
	adopt_attachments_end(attachments, &end);
	adopt_count_connection_ended(reactor, end.error);
}

static void run_ending(struct adopt_call *call)
{
	end((struct memory_transport *)((char *)call - offsetof(struct memory_transport, ending)));
}

static void lose(struct memory_transport *transport, int error)
{
	if (transport->lost)
		return;
	transport->lost = true;
	transport->error = error;
	transport->queued = 0;
	adopt_call_soon(transport->base.reactor, &transport->ending);
}

static void lose_if_done(struct memory_transport *transport)
{
	if (transport->write_shut && transport->queued == 0 &&
	    (transport->closing || transport->read_shut))
		lose(transport, 0);
}

static int memory_write(struct adopt_transport *base, const void *data, size_t length)
{
	struct memory_transport *transport = of(base);
	unsigned char *queue;

	if (transport->write_shut || transport->lost)
		return -EPIPE;
	if (adopt_transport_full(base))
		return -ENOBUFS;
	if (length == 0)
		return 0;
	queue = realloc(transport->queue, transport->queued + length);
	if (!queue)
		return -ENOMEM;
	memcpy(queue + transport->queued, data, length);
	transport->queue = queue;
	transport->queued += length;
	return adopt_transport_full(base) ? 1 : 0;
}

static size_t memory_queued(const struct adopt_transport *transport)
{
	return ((const struct memory_transport *)transport)->queued;
}

static void memory_pause(struct adopt_transport *transport)
{
	of(transport)->paused = true;
}

static bool holds(const struct memory_transport *transport)
{
	return transport->held_length > 0 || transport->held_end;
}

static void release_soon(struct memory_transport *transport)
{
	if (holds(transport))
		adopt_call_soon(transport->base.reactor, &transport->release);
}

static void memory_resume(struct adopt_transport *transport)
{
	of(transport)->paused = false;
	release_soon(of(transport));
}

static void memory_shutdown_write(struct adopt_transport *transport)
{
	of(transport)->write_shut = true;
	lose_if_done(of(transport));
}

static void memory_close(struct adopt_transport *transport)
{
	of(transport)->closing = true;
	memory_shutdown_write(transport);
}

static void memory_abort(struct adopt_transport *transport)
{
	lose(of(transport), -ECONNABORTED);
}

static int memory_detach(struct adopt_transport *transport, int *ret)
{
	(void)transport;
	(void)ret;
	return -EOPNOTSUPP;
}

static int memory_local(struct adopt_transport *transport, struct adopt_address *ret)
{
	*ret = of(transport)->own;
	return 0;
}

static int memory_peek(struct adopt_transport *base, void *buffer, size_t size, size_t *ret_length,
		       bool *ret_ended)
{
	struct memory_transport *transport = of(base);
	size_t length = transport->held_length < size ? transport->held_length : size;

	if (transport->lost || transport->closing)
		return -EPIPE;
	if (length > 0)
		memcpy(buffer, transport->held, length);
	*ret_length = length;
	*ret_ended = transport->held_end && length == transport->held_length;
	return 0;
}

static int memory_skip(struct adopt_transport *base, size_t length)
{
	struct memory_transport *transport = of(base);

	if (transport->lost || transport->closing)
		return -EPIPE;
	if (length > transport->held_length)
		return -EINVAL;
	transport->held_length -= length;
	if (length > 0)
		memmove(transport->held, transport->held + length, transport->held_length);
	return 0;
}

static int memory_set_idle_timeout(struct adopt_transport *transport, uint64_t timeout_ms)
{
	of(transport)->idle_ms = timeout_ms;
	return 0;
}

static uint64_t memory_idle_timeout(const struct adopt_transport *transport)
{
	return ((const struct memory_transport *)transport)->idle_ms;
}

static void memory_hand_to(struct adopt_transport *transport, struct adopt_protocol *protocol)
{
	adopt_transport_set_protocol(transport, protocol);
	release_soon(of(transport));
}

static const struct adopt_transport_ops memory_transport_ops = {
	.write = memory_write,
	.queued = memory_queued,
	.pause = memory_pause,
	.resume = memory_resume,
	.shutdown_write = memory_shutdown_write,
	.close = memory_close,
	.abort = memory_abort,
	.detach = memory_detach,
	.local = memory_local,
	.peek = memory_peek,
	.skip = memory_skip,
	.set_idle_timeout = memory_set_idle_timeout,
	.idle_timeout = memory_idle_timeout,
	.hand_to = memory_hand_to,
};

static void run_release(struct adopt_call *call);

int adopt_memory_transport_new(struct adopt_reactor *reactor, struct adopt_factory *factory,
			       const struct adopt_address *local, const struct adopt_address *peer,
			       struct adopt_transport **ret)
{
	struct memory_transport *transport;
	struct adopt_protocol *protocol;
	struct adopt_address fixed;

	if (memory_reactor_of(reactor)->freeing)
		return -ECANCELED;
	transport = calloc(1, sizeof *transport);
	if (!transport)
		return -ENOMEM;
	transport->base.ops = &memory_transport_ops;
	transport->base.reactor = reactor;
	transport->base.write_bound = ADOPT_WRITE_BOUND_BYTES;
	transport->ending.run = run_ending;
	transport->release.run = run_release;
	transport->own = local ? *local : memory_own_address(AF_INET);
	if (!peer) {
		adopt_address_parse("192.0.2.2:1024", &fixed);
		peer = &fixed;
	}
	if (address_keep(&transport->base.peer, peer) < 0) {
		free(transport);
		return -ENOMEM;
	}
	protocol = factory->ops->build_protocol(factory, peer);
	if (!protocol) {
		address_forget(&transport->base.peer);
		free(transport);
		return -ECONNABORTED;
	}
	transport->base.protocol = protocol;
	LIST_INSERT_HEAD(&memory_reactor_of(reactor)->transports, transport, link);
	adopt_count_connection(&transport->base);
	adopt_transport_set_protocol(&transport->base, protocol);
	if (ret)
		*ret = &transport->base;
	return 0;
}

void memory_transports_end(struct memory_reactor *reactor)
{
	struct memory_transport *transport;

	while ((transport = LIST_FIRST(&reactor->transports))) {
		lose(transport, -ECANCELED);
		end(transport);
	}
}

static int judge_delivery(const struct memory_transport *transport)
{
	if (transport->lost || transport->closing || transport->read_shut || transport->held_end)
		return -EPIPE;
	return transport->paused ? -EAGAIN : 0;
}

static int hold(struct memory_transport *transport, const void *data, size_t length)
{
	struct adopt_protocol *protocol = transport->base.protocol;
	unsigned char *held = realloc(transport->held, transport->held_length + length + 1);

	if (!held)
		return -ENOMEM;
	transport->held = held;
	if (length > 0)
		memcpy(held + transport->held_length, data, length);
	transport->held_length += length;
	if (protocol->ops->waiting)
		protocol->ops->waiting(protocol);
	return 0;
}

static int give(struct memory_transport *transport, const void *data, size_t length)
{
	struct adopt_protocol *protocol = transport->base.protocol;
	void *copy = memory_copy(data, length);

	if (!copy)
		return -ENOMEM;
	transport->base.received += length;
	protocol->ops->data_received(protocol, copy, length);
	free(copy);
	return 0;
}

static void end_reading(struct memory_transport *transport)
{
	struct adopt_protocol *protocol = transport->base.protocol;

	transport->read_shut = true;
	transport->held_end = false;
	if (protocol->ops->read_closed)
		protocol->ops->read_closed(protocol);
	else
		memory_close(&transport->base);
	lose_if_done(transport);
}

/* What a protocol that peeked has left comes to the one that it handed over to. */
static void run_release(struct adopt_call *call)
{
	struct memory_transport *transport =
		(struct memory_transport *)((char *)call -
					    offsetof(struct memory_transport, release));
	struct adopt_protocol *protocol = transport->base.protocol;
	size_t length = transport->held_length;

	if (!holds(transport) || transport->paused || transport->lost || transport->closing)
		return;
	if (protocol->ops->waiting) {
		protocol->ops->waiting(protocol);
		return;
	}
	if (length == 0) {
		end_reading(transport);
		return;
	}
	transport->held_length = 0;
	if (give(transport, transport->held, length) < 0)
		lose(transport, -ENOMEM);
	/* The end of file, if it is there. */
	release_soon(transport);
}

int adopt_memory_deliver(struct adopt_transport *transport, const void *data, size_t length)
{
	int error = judge_delivery(of(transport));

	if (error < 0)
		return error;
	if (transport->protocol->ops->waiting || holds(of(transport)))
		return hold(of(transport), data, length);
	return give(of(transport), data, length);
}

int adopt_memory_deliver_eof(struct adopt_transport *transport)
{
	int error = judge_delivery(of(transport));

	if (error < 0)
		return error;
	if (transport->protocol->ops->waiting || holds(of(transport))) {
		of(transport)->held_end = true;
		return hold(of(transport), NULL, 0);
	}
	end_reading(of(transport));
	return 0;
}

size_t adopt_memory_written(struct adopt_transport *transport, const void **ret)
{
	*ret = of(transport)->queue;
	return of(transport)->queued;
}

void adopt_memory_take(struct adopt_transport *base, size_t length)
{
	struct memory_transport *transport = of(base);
	struct adopt_protocol *protocol = base->protocol;

	if (length > transport->queued)
		length = transport->queued;
	if (length > 0) {
		transport->queued -= length;
		transport->base.sent += length;
		memmove(transport->queue, transport->queue + length, transport->queued);
	}
	lose_if_done(transport);
	if (!transport->base.drained_owed || transport->queued > transport->base.write_bound / 2 ||
	    transport->closing || transport->lost)
		return;
	transport->base.drained_owed = false;
	if (protocol->ops->drained)
		protocol->ops->drained(protocol);
}

bool adopt_memory_write_shut(const struct adopt_transport *transport)
{
	return ((const struct memory_transport *)transport)->write_shut;
}

bool adopt_memory_paused(const struct adopt_transport *transport)
{
	return ((const struct memory_transport *)transport)->paused;
}

void adopt_memory_lose(struct adopt_transport *transport, int error)
{
	lose(of(transport), error);
}
