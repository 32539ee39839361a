#include "memory.h"

#include <errno.h>
#include <stdlib.h>

struct memory_connector {
	struct adopt_connector base;
	struct memory_reactor *reactor;
	struct memory_timer timeout;
	struct adopt_factory *factory;
	size_t index; /* of its record */
	LIST_ENTRY(memory_connector) link;
};

static void forget(struct memory_connector *connector)
{
	connector->reactor->connect_records[connector->index].done = true;
	memory_timer_stop(&connector->timeout.base);
	LIST_REMOVE(connector, link);
	free(connector);
}

static void cancel(struct adopt_connector *base)
{
	forget((struct memory_connector *)base);
}

static void fail(struct memory_connector *connector, int error)
{
	struct adopt_factory *factory = connector->factory;

	forget(connector);
	factory->ops->connect_failed(factory, error);
}

static void timed_out(void *context)
{
	fail(context, -ETIMEDOUT);
}

static int record(struct memory_reactor *reactor, const struct adopt_memory_connect *connect)
{
	struct adopt_memory_connect *records = realloc(
		reactor->connect_records, (reactor->connect_record_count + 1) * sizeof *records);

	if (!records)
		return -ENOMEM;
	records[reactor->connect_record_count++] = *connect;
	reactor->connect_records = records;
	return 0;
}

int memory_connect_stream(struct adopt_reactor *base, const struct adopt_address *address, int type,
			  uint64_t timeout_ms, struct adopt_factory *factory,
			  struct adopt_connector **ret)
{
	const struct adopt_memory_connect asked = {
		.address = *address, .type = type, .timeout_ms = timeout_ms, .factory = factory};
	struct memory_reactor *reactor = memory_reactor_of(base);
	struct memory_connector *connector;

	if (reactor->freeing)
		return -ECANCELED;
	if (reactor->connect_error < 0)
		return reactor->connect_error;
	connector = calloc(1, sizeof *connector);
	if (!connector)
		return -ENOMEM;
	if (record(reactor, &asked) < 0) {
		free(connector);
		return -ENOMEM;
	}
	connector->base.cancel = cancel;
	connector->reactor = reactor;
	connector->factory = factory;
	connector->index = reactor->connect_record_count - 1;
	connector->timeout.base =
		(struct adopt_timer){.reactor = base, .elapsed = timed_out, .context = connector};
	if (timeout_ms > 0)
		memory_timer_start(&connector->timeout.base, timeout_ms);
	LIST_INSERT_HEAD(&reactor->connectors, connector, link);
	if (ret)
		*ret = &connector->base;
	return 0;
}

int adopt_memory_connect_finish(struct adopt_reactor *base, size_t index, int error,
				struct adopt_transport **ret)
{
	struct memory_reactor *reactor = memory_reactor_of(base);
	struct memory_connector *connector;
	struct adopt_address own, peer;
	struct adopt_factory *factory;

	LIST_FOREACH (connector, &reactor->connectors, link) {
		if (connector->index == index)
			break;
	}
	if (!connector)
		return -ENOENT;
	if (error < 0) {
		fail(connector, error);
		return 0;
	}
	factory = connector->factory;
	peer = reactor->connect_records[index].address;
	own = memory_own_address(adopt_address_family(&peer));
	forget(connector);
	error = adopt_memory_transport_new(base, factory, &own, &peer, ret);
	if (error < 0)
		factory->ops->connect_failed(factory, error);
	return error;
}

void memory_connectors_end(struct memory_reactor *reactor)
{
	struct memory_connector *connector;

	while ((connector = LIST_FIRST(&reactor->connectors)))
		fail(connector, -ECANCELED);
}
