/* Two transports made one pipe. */
#include "private.h"

#include <errno.h>
#include <stdlib.h>

struct side {
	struct adopt_protocol base;
	struct relay relay; /* from this side to the other */
	bool second : 1;    /* of the two */
	bool ended : 1;     /* its end of file has come */
	bool deaf : 1;      /* takes no more bytes: writing to it has failed */
	bool lost : 1;
	int error; /* why, of the first that was */
};

struct join {
	struct side sides[2];
	void (*finished)(void *context, const struct adopt_join_result *result);
	void *context;
	uint64_t half_close_timeout_ms;
};

static struct side *from_protocol(struct adopt_protocol *protocol)
{
	return (struct side *)protocol;
}

static struct side *other_side(struct side *side)
{
	return side->second ? side - 1 : side + 1;
}

static struct join *join_of(struct side *side)
{
	return (struct join *)(side->second ? side - 1 : side);
}

static void data_received(struct adopt_protocol *protocol, const void *data, size_t length)
{
	struct side *side = from_protocol(protocol);
	struct side *other = other_side(side);
	int result;

	if (other->deaf || other->lost)
		return;
	result = adopt_transport_write(other->base.transport, data, length);
	if (result >= 0)
		side->relay.bytes += length;
	if (result == 1)
		adopt_transport_pause(protocol->transport);
	if (result == -EPIPE) {
		/* What the other side sent before it went deaf is still to be passed on. */
		other->deaf = true;
		adopt_transport_pause(protocol->transport);
	} else if (result < 0) {
		adopt_transport_abort(protocol->transport);
		adopt_transport_abort(other->base.transport);
	}
}

/* An idle timeout that is shorter stays. Where there is no memory for one, there is
 * none: as for a peer that never ends. */
static void limit_half_close(struct adopt_transport *transport, uint64_t timeout_ms)
{
	uint64_t present_ms = adopt_transport_idle_timeout(transport);

	if (timeout_ms > 0 && (present_ms == 0 || timeout_ms < present_ms))
		(void)adopt_transport_set_idle_timeout(transport, timeout_ms);
}

static void read_closed(struct adopt_protocol *protocol)
{
	struct side *side = from_protocol(protocol);
	struct side *other = other_side(side);

	side->ended = true;
	if (other->lost)
		return;
	adopt_transport_shutdown_write(other->base.transport);
	if (!other->ended)
		limit_half_close(other->base.transport, join_of(side)->half_close_timeout_ms);
}

static void drained(struct adopt_protocol *protocol)
{
	struct side *other = other_side(from_protocol(protocol));

	if (!other->lost)
		adopt_transport_resume(other->base.transport);
}

static void finish(struct join *join, int error)
{
	struct adopt_join_result result = {
		.bytes_from = {join->sides[0].relay.bytes, join->sides[1].relay.bytes},
		.error = error,
	};
	void (*finished)(void *, const struct adopt_join_result *) = join->finished;
	void *context = join->context;

	free(join);
	finished(context, &result);
}

static void connection_lost(struct adopt_protocol *protocol, int error)
{
	struct side *side = from_protocol(protocol);
	struct side *other = other_side(side);

	side->lost = true;
	other->relay.to = NULL;
	if (other->lost) {
		finish(join_of(side), other->error);
		return;
	}
	side->error = error;
	/* Who ended in order has had its say, which the other still gets whole; a
	   reset is passed on. */
	if (side->ended || error == 0)
		adopt_transport_close(other->base.transport);
	else
		adopt_transport_abort(other->base.transport);
}

static const struct adopt_protocol_ops ops = {
	.data_received = data_received,
	.read_closed = read_closed,
	.drained = drained,
	.connection_lost = connection_lost,
};

/* Between two sockets of the same kind, bulk need not come through here. */
static void relay_bulk(struct side *side)
{
	struct adopt_transport *from = side->base.transport;
	struct adopt_transport *to = other_side(side)->base.transport;

	if (!from->ops->relay || from->ops != to->ops || from->records || to->records)
		return;
	side->relay.to = to;
	from->ops->relay(from, &side->relay);
}

/* What the old protocols wrote may still fill a side: drained() will follow. */
static void start_reading(struct adopt_transport *from, struct adopt_transport *to)
{
	if (adopt_transport_full(to))
		adopt_transport_pause(from);
	else
		adopt_transport_resume(from);
}

int adopt_join(struct adopt_transport *a, struct adopt_transport *b, uint64_t half_close_timeout_ms,
	       void (*finished)(void *context, const struct adopt_join_result *result),
	       void *context)
{
	struct join *join = malloc(sizeof *join);

	if (!join)
		return -ENOMEM;
	*join = (struct join){
		.sides = {{.base = {.ops = &ops}}, {.base = {.ops = &ops}, .second = true}},
		.finished = finished,
		.context = context,
		.half_close_timeout_ms = half_close_timeout_ms,
	};
	adopt_transport_hand_to(a, &join->sides[0].base);
	adopt_transport_hand_to(b, &join->sides[1].base);
	relay_bulk(&join->sides[0]);
	relay_bulk(&join->sides[1]);
	start_reading(a, b);
	start_reading(b, a);
	return 0;
}
