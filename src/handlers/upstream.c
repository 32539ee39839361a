#include "upstream.h"

#include "support/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct upstream *upstream_new(const struct adopt_address *address, const void *origin, bool named)
{
	struct upstream *upstream = calloc(1, sizeof *upstream);

	if (!upstream)
		return NULL;
	upstream->address = *address;
	upstream->origin = origin;
	upstream->named = named;
	upstream->weight = 1;
	upstream->references = 1;
	return upstream;
}

struct upstream *upstream_ref(struct upstream *upstream)
{
	upstream->references++;
	return upstream;
}

void upstream_unref(struct upstream **upstream)
{
	if (*upstream && --(*upstream)->references == 0)
		free(*upstream);
	*upstream = NULL;
}

void upstream_enter(struct upstream *upstream)
{
	upstream->active++;
}

void upstream_leave(struct upstream *upstream)
{
	upstream->active--;
}

bool upstream_usable(const struct upstream *upstream, uint64_t now_ms)
{
	return upstream->failures == 0 || now_ms >= upstream->retry_at_ms;
}

static uint64_t pause_ms(unsigned failures)
{
	uint64_t pause = UPSTREAM_PAUSE_MIN_MS;

	while (--failures > 0 && pause < UPSTREAM_PAUSE_MAX_MS)
		pause *= 2;
	return pause < UPSTREAM_PAUSE_MAX_MS ? pause : UPSTREAM_PAUSE_MAX_MS;
}

static void leave_alone(struct upstream *upstream, uint64_t now_ms)
{
	upstream->failures++;
	upstream->retry_at_ms = now_ms + pause_ms(upstream->failures);
}

void upstream_tried(struct upstream *upstream, uint64_t now_ms)
{
	if (upstream->failures > 0 && upstream_usable(upstream, now_ms))
		leave_alone(upstream, now_ms);
}

bool upstream_at_fault(int error)
{
	return error != -EMFILE && error != -ENFILE && error != -ENOMEM && error != -ENOBUFS;
}

void upstream_failed(struct upstream *upstream, int error, uint64_t now_ms)
{
	char text[ADOPT_ADDRESS_TEXT_SIZE];

	if (upstream->failures > 0)
		return;
	leave_alone(upstream, now_ms);
	log_warning("proxy: upstream %s does not answer: %s",
		    adopt_address_format(&upstream->address, text, sizeof text), strerror(-error));
}

void upstream_answered(struct upstream *upstream)
{
	char text[ADOPT_ADDRESS_TEXT_SIZE];

	if (upstream->failures > 0)
		log_notice("proxy: upstream %s answers again",
			   adopt_address_format(&upstream->address, text, sizeof text));
	upstream->failures = 0;
}
