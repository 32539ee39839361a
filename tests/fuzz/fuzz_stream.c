/* Stream ports, connections, and joins of the real reactor: whatever happens in whatever
 * order, no byte is lost, repeated or reordered, each callback comes when adopt.h says,
 * and no descriptor stays behind. The input is what happens, a byte for what and one for
 * how much. */
#include "fuzz_verdict.h"
#include "line.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LINES 5

/* In the end so many turns of the loop without progress are enough. */
#define QUIET_TURNS 3

static struct {
	const uint8_t *at, *end; /* of the input */
	struct adopt_reactor *reactor;
	struct adopt_factory factory; /* the port's */
	struct adopt_port *port;
	int listener;
	struct line lines[LINES];
	unsigned begun;     /* so many lines, of which */
	unsigned connected; /* so many have come to the port, or been adopted */
	struct adopt_call stop;
	bool records;
	unsigned depth; /* of callbacks */
} world;

static unsigned next_byte(void)
{
	return world.at < world.end ? *world.at++ : 0;
}

/* Most are small; some fill buffers. */
static size_t next_size(void)
{
	unsigned byte = next_byte();

	return byte < 128 ? byte + 1 : (size_t)(byte - 127) * 1024;
}

static struct line *next_line(void)
{
	return &world.lines[next_byte() % LINES];
}

static void stop_loop(struct adopt_call *call)
{
	(void)call;
	adopt_reactor_stop(world.reactor);
}

static void turn(void)
{
	adopt_call_soon(world.reactor, &world.stop);
	FUZZ_REQUIRE(adopt_reactor_run(world.reactor) == 0);
}

/* What a protocol may do, within its callbacks and without. */
static void do_as_protocol(struct line *line, unsigned what)
{
	switch (what % 10) {
	case 0:
	case 1:
		line_write(line, next_size());
		break;
	case 2:
		line_pause(line);
		break;
	case 3:
		line_resume(line);
		break;
	case 4:
		line_look_on(line);
		break;
	case 5:
		line_skip(line, next_size());
		break;
	case 6:
		line_shut(line);
		break;
	case 7:
		line_join(line, next_line());
		break;
	case 8:
		if (next_byte() & 1)
			line_close(line);
		else
			line_abort(line);
		break;
	default:
		if (next_byte() % 8 == 0)
			line_detach(line);
		break;
	}
}

/* Half of the callbacks do something. */
static void meanwhile(struct line *line)
{
	unsigned what = next_byte();

	if (what < 128 || world.depth > 4)
		return;
	world.depth++;
	do_as_protocol(line, what);
	world.depth--;
}

static struct line *begin_line(void)
{
	struct line *line;

	if (world.begun == LINES)
		return NULL;
	line = &world.lines[world.begun];
	line_begin(line, world.begun, world.records);
	line->meanwhile = meanwhile;
	line->refused = next_byte() % 16 == 0;
	world.begun++;
	return line;
}

static int socket_type(void)
{
	return world.records ? SOCK_SEQPACKET : SOCK_STREAM;
}

static void adopt_pair(void)
{
	struct line *line;
	int pair[2];

	/* Who waits at the port is the next that it accepts. */
	if (world.connected < world.begun)
		return;
	line = begin_line();
	if (!line)
		return;
	FUZZ_REQUIRE(socketpair(AF_UNIX, socket_type() | SOCK_NONBLOCK, 0, pair) == 0);
	world.connected++;
	line->peer = pair[0];
	FUZZ_REQUIRE(adopt_stream_connection(world.reactor, pair[1], AF_UNSPEC, &line->factory) ==
		     (line->refused ? -ECONNABORTED : 0));
	close(pair[1]);
}

static void knock(void)
{
	struct sockaddr_un name;
	socklen_t length = sizeof name;
	struct line *line;

	if (!world.port)
		return;
	line = begin_line();
	if (!line)
		return;
	line->peer = socket(AF_UNIX, socket_type() | SOCK_NONBLOCK, 0);
	FUZZ_REQUIRE(line->peer >= 0);
	FUZZ_REQUIRE(getsockname(world.listener, (struct sockaddr *)&name, &length) == 0);
	FUZZ_REQUIRE(connect(line->peer, (struct sockaddr *)&name, length) == 0);
}

static struct adopt_protocol *accept_line(struct adopt_factory *factory,
					  const struct adopt_address *peer)
{
	struct adopt_factory *line;

	(void)factory;
	FUZZ_REQUIRE(world.connected < world.begun);
	line = &world.lines[world.connected++].factory;
	return line->ops->build_protocol(line, peer);
}

static const struct adopt_factory_ops factory_ops = {.build_protocol = accept_line};

static void do_to_port(unsigned what)
{
	if (!world.port)
		return;
	switch (what % 4) {
	case 0:
		adopt_port_pause(world.port);
		break;
	case 1:
		adopt_port_stop(&world.port);
		break;
	default:
		adopt_port_resume(world.port);
		break;
	}
}

static void do_as_peer(struct line *line, unsigned what)
{
	switch (what % 8) {
	case 0:
	case 1:
	case 2:
		line_peer_write(line, next_size());
		break;
	case 3:
	case 4:
	case 5:
		line_peer_read(line, next_size());
		break;
	case 6:
		line_peer_shut(line);
		break;
	default:
		if (next_byte() % 4 == 0)
			line_peer_close(line);
		break;
	}
}

static void step(void)
{
	unsigned what = next_byte();
	struct line *line = &world.lines[(what >> 5) % LINES];

	switch (what % 32) {
	case 0:
	case 1:
		adopt_pair();
		break;
	case 2:
		knock();
		break;
	case 3:
		do_to_port(next_byte());
		break;
	case 4:
		if (line->transport)
			adopt_transport_set_write_bound(line->transport, next_size());
		break;
	case 5:
	case 6:
	case 7:
	case 8:
	case 9:
	case 10:
		turn();
		break;
	case 11:
	case 12:
	case 13:
	case 14:
	case 15:
	case 16:
	case 17:
	case 18:
		do_as_peer(line, what % 32 - 11);
		break;
	default:
		do_as_protocol(line, what % 32 - 19);
		break;
	}
}

static uint64_t progress(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < LINES; i++)
		sum += line_progress(&world.lines[i]);
	return sum;
}

/* Lets all that is under way arrive. */
static void settle(void)
{
	unsigned quiet = 0;
	uint64_t before;

	for (unsigned i = 0; i < LINES; i++)
		line_resume(&world.lines[i]);
	while (quiet < QUIET_TURNS) {
		before = progress();
		for (unsigned i = 0; i < LINES; i++)
			line_peer_read(&world.lines[i], LINE_MAX_BYTES);
		turn();
		quiet = progress() == before ? quiet + 1 : 0;
	}
}

static void open_world(const uint8_t *data, size_t length)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	memset(&world, 0, sizeof world);
	world.at = data;
	world.end = data + length;
	world.stop.run = stop_loop;
	world.factory.ops = &factory_ops;
	world.records = next_byte() % 4 == 0;
	for (unsigned i = 0; i < LINES; i++)
		world.lines[i].peer = -1;
	FUZZ_REQUIRE(adopt_reactor_new(&world.reactor) == 0);
	world.listener = socket(AF_UNIX, socket_type() | SOCK_NONBLOCK, 0);
	FUZZ_REQUIRE(world.listener >= 0);
	/* A name of the kernel's choice. */
	FUZZ_REQUIRE(bind(world.listener, (struct sockaddr *)&name, sizeof name.sun_family) == 0);
	FUZZ_REQUIRE(listen(world.listener, LINES) == 0);
	FUZZ_REQUIRE(adopt_stream_port(world.reactor, world.listener, AF_UNSPEC, &world.factory,
				       &world.port) == 0);
}

static void close_world(void)
{
	adopt_reactor_free(&world.reactor);
	close(world.listener);
	for (unsigned i = 0; i < LINES; i++)
		line_end(&world.lines[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	int before = fuzz_lowest_free();

	open_world(data, length);
	while (world.at < world.end)
		step();
	settle();
	for (unsigned i = 0; i < LINES; i++)
		line_require_all(&world.lines[i]);
	close_world();
	FUZZ_REQUIRE(fuzz_lowest_free() == before);
	return 0;
}
