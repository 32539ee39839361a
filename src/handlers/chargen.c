/* chargen.c - sends lines of characters without end (RFC 864) */
#include "service.h"
#include "udp_guard.h"

#include <stdlib.h>

/* The pattern of RFC 864: 72 of the 95 printing characters a line, each line one
 * character further on. */
#define FIRST_CHARACTER ' '
#define CHARACTERS 95
#define LINE_CHARACTERS 72
#define LINE_BYTES (LINE_CHARACTERS + 2)

/* The most characters of a datagram. */
#define DATAGRAM_BYTES 512

/* A peer that takes all at once must not keep the loop from its other work. */
#define LINES_A_TURN 64

struct generator {
	struct adopt_protocol base;
	struct adopt_call more;
	struct adopt_reactor *reactor;
	unsigned line;
};

static void write_line(unsigned line, char text[LINE_BYTES])
{
	for (unsigned i = 0; i < LINE_CHARACTERS; i++)
		text[i] = (char)(FIRST_CHARACTER + (line + i) % CHARACTERS);
	text[LINE_CHARACTERS] = '\r';
	text[LINE_CHARACTERS + 1] = '\n';
}

/* Line by line, so that a seqpacket peer gets them as records. */
static void generate(struct generator *generator)
{
	struct adopt_transport *transport = generator->base.transport;
	char text[LINE_BYTES];
	int written = 0;

	for (unsigned i = 0; i < LINES_A_TURN && written == 0; i++) {
		write_line(generator->line, text);
		generator->line = (generator->line + 1) % CHARACTERS;
		written = adopt_transport_write(transport, text, sizeof text);
	}
	if (written < 0)
		adopt_transport_abort(transport);
	else if (written == 0)
		adopt_call_soon(generator->reactor, &generator->more);
}

static void connected(struct adopt_protocol *protocol)
{
	struct generator *generator = (struct generator *)protocol;

	generator->reactor = adopt_transport_reactor(protocol->transport);
	generate(generator);
}

static void drained(struct adopt_protocol *protocol)
{
	generate((struct generator *)protocol);
}

static void next_turn(struct adopt_call *call)
{
	generate((struct generator *)((char *)call - offsetof(struct generator, more)));
}

/* It is the peer's reading that counts: it may have nothing to send from the start. */
static void read_closed(struct adopt_protocol *protocol)
{
	(void)protocol;
}

static void lost(struct adopt_protocol *protocol, int error)
{
	struct generator *generator = (struct generator *)protocol;

	adopt_call_cancel(generator->reactor, &generator->more);
	service_connection_lost(protocol, error);
}

static const struct adopt_protocol_ops stream_ops = {
	.connection_made = connected,
	.data_received = service_data_dropped,
	.read_closed = read_closed,
	.drained = drained,
	.connection_lost = lost,
};

static struct adopt_protocol *build(struct adopt_factory *factory, const struct adopt_address *peer)
{
	struct generator *generator = calloc(1, sizeof *generator);

	(void)factory;
	(void)peer;
	if (!generator)
		return NULL;
	generator->base.ops = &stream_ops;
	generator->more.run = next_turn;
	return &generator->base;
}

static const struct adopt_factory_ops factory_ops = {.build_protocol = build};

static int stream_new(const struct handler_settings *settings, struct host *host,
		      struct adopt_factory **ret)
{
	(void)host;
	return service_stream_new(&factory_ops, settings, ret);
}

static void asked(struct adopt_datagram_protocol *protocol, const struct adopt_datagram *request)
{
	char text[DATAGRAM_BYTES + LINE_BYTES];
	size_t room = udp_guard_room(request);

	for (unsigned line = 0; line * LINE_BYTES < DATAGRAM_BYTES; line++)
		write_line(line, text + line * LINE_BYTES);
	service_reply(protocol, request, text, room < DATAGRAM_BYTES ? room : DATAGRAM_BYTES);
}

static const struct adopt_datagram_protocol_ops datagram_ops = {
	.start = service_datagram_start,
	.datagram_received = asked,
};

static int datagram_new(const struct handler_settings *settings, struct host *host,
			struct adopt_datagram_protocol **ret)
{
	(void)host;
	return service_datagram_new(&datagram_ops, settings, ret);
}

static int settings_new(cfg_t *section, struct faults *faults, struct handler_settings **ret)
{
	(void)section;
	(void)faults;
	return service_settings_new(&handler_chargen, ret);
}

const struct handler handler_chargen = {
	.name = "chargen",
	.options = service_no_options,
	.settings_new = settings_new,
	.settings_free = service_settings_free,
	.stream_new = stream_new,
	.stream_free = service_stream_free,
	.datagram_new = datagram_new,
	.datagram_free = service_datagram_free,
};
