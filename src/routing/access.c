#include "access.h"

#include "support/log.h"

#include <errno.h>
#include <stdlib.h>

struct access {
	struct adopt_attachment attachment;
	struct adopt_reactor *reactor;
	const char *port_name;
	const char *handler; /* NULL before one has it */
	size_t route;
	bool refused;
	uint64_t begun_ms;
	struct adopt_address peer;
};

static const char *why(const struct access *access, const struct adopt_end *end)
{
	if (access->refused)
		return "refused";
	if (end->detached)
		return "detached";
	switch (end->error) {
	case 0:
		return "closed";
	case -ECANCELED:
		return "stopped";
	case -ECONNABORTED:
		return "aborted";
	case -ECONNRESET:
	case -EPIPE:
		return "reset";
	case -ETIMEDOUT:
		return "timeout";
	default:
		return "failed";
	}
}

/* The peer comes last: what a UNIX socket is called is its owner's choice, and must not
 * look like another field. */
static void ended(struct adopt_attachment *attachment, const struct adopt_end *end)
{
	struct access *access = (struct access *)attachment;
	char text[ADOPT_ADDRESS_TEXT_SIZE];
	const struct log_field fields[] = {
		{.name = "port", .text = access->port_name, .quoted = true},
		{.name = "route", .number = access->route},
		{.name = "handler", .text = access->handler ? access->handler : "none"},
		{.name = "received", .number = end->received},
		{.name = "sent", .number = end->sent},
		{.name = "ms", .number = adopt_reactor_now_ms(access->reactor) - access->begun_ms},
		{.name = "end", .text = why(access, end)},
		{.name = "peer", .text = adopt_address_format(&access->peer, text, sizeof text)},
	};

	log_event(LOG_LEVEL_INFO, "access", fields, sizeof fields / sizeof fields[0]);
	free(access);
}

struct access *access_begin(struct adopt_transport *transport, const char *port_name)
{
	struct access *access = calloc(1, sizeof *access);

	if (!access)
		return NULL;
	access->attachment.ended = ended;
	access->reactor = adopt_transport_reactor(transport);
	access->port_name = port_name;
	access->begun_ms = adopt_reactor_now_ms(access->reactor);
	adopt_transport_peer(transport, &access->peer);
	adopt_transport_attach(transport, &access->attachment);
	return access;
}

void access_set_peer(struct access *access, const struct adopt_address *peer)
{
	if (access)
		access->peer = *peer;
}

void access_handled(struct access *access, size_t route, const char *handler)
{
	if (!access)
		return;
	access->route = route;
	access->handler = handler;
}

void access_refused(struct access *access)
{
	if (access)
		access->refused = true;
}
