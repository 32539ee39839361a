#include "spread.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

/* So many more than the least loaded a worker may have. Passing on costs two wake-ups. */
#define AHEAD 3

/* A client on its way to another worker, and back. Until it is, it is work in hand of
 * the block that has accepted it. */
struct passing {
	struct adopt_protocol base;
	struct adopt_call call;
	struct spread_front *front;
	struct spread_load *to;
	int fd;
	bool taken;
};

static struct passing *from_call(struct adopt_call *call)
{
	return (struct passing *)((char *)call - offsetof(struct passing, call));
}

/* The other worker has it, or cannot: then it is served here. */
static void returned(struct adopt_call *call)
{
	struct passing *passing = from_call(call);
	struct host *host = passing->front->host;

	host_client_end(host);
	if (!passing->taken)
		adopt_stream_connection(host->reactor, passing->fd, AF_UNSPEC,
					passing->front->behind);
	close(passing->fd);
	host_work_end(host);
	free(passing);
}

/* In the other worker. */
static void arrived(struct adopt_call *call)
{
	struct passing *passing = from_call(call);
	struct spread_load *to = passing->to;
	struct adopt_factory *factory = to->find(to->context, passing->front->block);

	if (factory) {
		int error = adopt_stream_connection(to->reactor, passing->fd, AF_UNSPEC, factory);

		/* A client that has left, or whom the handler will not have, stays so. */
		passing->taken = error == 0 || error == -ENOTCONN || error == -ECONNABORTED;
	}
	atomic_fetch_sub_explicit(&to->coming, 1, memory_order_relaxed);
	call->run = returned;
	adopt_call_from_thread(passing->front->host->reactor, call);
}

static void accepted(struct adopt_protocol *protocol)
{
	struct passing *passing = (struct passing *)protocol;
	struct host *host = passing->front->host;

	if (adopt_transport_detach(&protocol->transport, &passing->fd) < 0) {
		adopt_transport_abort(protocol->transport);
		return;
	}
	/* Counted here as well until the other one counts it: never one too few. */
	host_work_begin(host);
	host_client_begin(host);
	atomic_fetch_add_explicit(&passing->to->coming, 1, memory_order_relaxed);
	passing->call.run = arrived;
	adopt_call_from_thread(passing->to->reactor, &passing->call);
}

static void no_data(struct adopt_protocol *protocol, const void *data, size_t length)
{
	(void)protocol;
	(void)data;
	(void)length;
}

/* Only where it could not be detached. */
static void lost(struct adopt_protocol *protocol, int error)
{
	(void)error;
	free(protocol);
}

static const struct adopt_protocol_ops passing_ops = {
	.connection_made = accepted,
	.data_received = no_data,
	.connection_lost = lost,
};

static size_t load_of(struct spread_load *load)
{
	return atomic_load_explicit(&load->connections, memory_order_relaxed) +
	       atomic_load_explicit(&load->coming, memory_order_relaxed);
}

/* Returns the least loaded of the others, where this worker is well ahead of it. */
static struct spread_load *better(const struct spread *spread)
{
	struct spread_load *best = &spread->loads[spread->self];
	size_t mine = load_of(best);
	size_t least = mine;

	for (unsigned i = 0; i < spread->count; i++) {
		size_t theirs = load_of(&spread->loads[i]);

		if (theirs < least) {
			least = theirs;
			best = &spread->loads[i];
		}
	}
	return mine > least + AHEAD ? best : NULL;
}

static struct adopt_protocol *build(struct adopt_factory *base, const struct adopt_address *peer)
{
	struct spread_front *front = (struct spread_front *)base;
	struct spread_load *to = better(front->spread);
	struct passing *passing = to ? calloc(1, sizeof *passing) : NULL;

	if (!passing)
		return front->behind->ops->build_protocol(front->behind, peer);
	passing->base.ops = &passing_ops;
	passing->front = front;
	passing->to = to;
	return &passing->base;
}

static int start(struct adopt_factory *base)
{
	struct adopt_factory *behind = ((struct spread_front *)base)->behind;

	return behind->ops->start ? behind->ops->start(behind) : 0;
}

static void stop(struct adopt_factory *base)
{
	struct adopt_factory *behind = ((struct spread_front *)base)->behind;

	if (behind->ops->stop)
		behind->ops->stop(behind);
}

static const struct adopt_factory_ops ops = {
	.start = start,
	.stop = stop,
	.build_protocol = build,
};

void spread_front_init(struct spread_front *front, struct spread *spread, struct host *host,
		       const void *block)
{
	*front = (struct spread_front){
		.base.ops = &ops, .spread = spread, .host = host, .block = block};
}

struct adopt_factory *spread_front_factory(struct spread_front *front, struct adopt_factory *behind)
{
	front->behind = behind;
	return &front->base;
}
