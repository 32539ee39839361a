/* A stream connection that may not be idle for ever. Its timer is not started anew for
 * each byte: when it is over it looks when the last one was. */
#include "stream.h"

#include <errno.h>
#include <stdlib.h>

struct stream_idle {
	struct adopt_timer *timer;
	uint64_t timeout_ms;
	uint64_t used_ms;
};

static void elapsed(void *context)
{
	struct stream *stream = context;
	struct stream_idle *idle = stream->idle;
	uint64_t now = adopt_reactor_now_ms(stream->base.reactor);
	uint64_t end = idle->used_ms + idle->timeout_ms;

	if (now >= end)
		stream_lose(stream, -ETIMEDOUT);
	else
		adopt_timer_start(idle->timer, end - now);
}

int stream_set_idle_timeout(struct adopt_transport *transport, uint64_t timeout_ms)
{
	struct stream *stream = (struct stream *)transport;
	struct stream_idle *idle;
	int error;

	stream_idle_free(stream);
	if (timeout_ms == 0 || stream->fd < 0)
		return 0;
	idle = calloc(1, sizeof *idle);
	if (!idle)
		return -ENOMEM;
	error = adopt_timer_new(transport->reactor, elapsed, stream, &idle->timer);
	if (error < 0) {
		free(idle);
		return error;
	}
	idle->timeout_ms = timeout_ms;
	idle->used_ms = adopt_reactor_now_ms(transport->reactor);
	adopt_timer_start(idle->timer, timeout_ms);
	stream->idle = idle;
	return 0;
}

uint64_t stream_idle_timeout(const struct adopt_transport *transport)
{
	const struct stream_idle *idle = ((const struct stream *)transport)->idle;

	return idle ? idle->timeout_ms : 0;
}

void stream_idle_used(struct stream *stream)
{
	if (stream->idle)
		stream->idle->used_ms = adopt_reactor_now_ms(stream->base.reactor);
}

void stream_idle_free(struct stream *stream)
{
	if (!stream->idle)
		return;
	adopt_timer_free(&stream->idle->timer);
	free(stream->idle);
	stream->idle = NULL;
}
