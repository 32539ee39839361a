/* A datagram port of the real reactor: whatever happens in whatever order, each datagram
 * that the kernel took comes once, in its sender's order and cut as asked for, or stays for
 * whoever holds the socket beside the port. The input is what happens, a byte for what and
 * one for how much. */
#include "adopt/adopt.h"
#include "fuzz_verdict.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEERS 3
#define MAX_BYTES 9000

/* So much at most is on its way from one to another, and in one direction: no socket's
 * buffer is full of it, be it full of what has been read just now. */
#define UNDER_WAY 48
#define UNDER_WAY_BYTES 120000

#define PATIENCE_MS 1000

struct header {
	uint16_t sequence;
	uint16_t length; /* as sent */
};

/* Datagrams of one sender for one receiver. */
struct lane {
	uint16_t sent, arrived;
	size_t bytes; /* of buffers under way, and of some that were */
};

static struct {
	const uint8_t *at, *end; /* of the input */
	struct adopt_reactor *reactor;
	struct adopt_datagram_protocol protocol;
	struct adopt_port *port; /* NULL once stopped */
	struct adopt_address address;
	struct adopt_address peer_addresses[PEERS];
	struct adopt_call stop;
	int socket;
	int peers[PEERS];
	unsigned peer_count;
	struct lane in[PEERS], out[PEERS];
	size_t max_packet_size;
	bool connected;
	bool paused;
	bool stopping, stopped;
	bool inside;
} world;

static unsigned char buffer[MAX_BYTES];

static unsigned next_byte(void)
{
	return world.at < world.end ? *world.at++ : 0;
}

static size_t next_length(void)
{
	unsigned byte = next_byte();

	return sizeof(struct header) + (byte < 192 ? byte : (byte - 191) * 140);
}

static unsigned next_peer(void)
{
	return next_byte() % world.peer_count;
}

/* lanes: of one direction. */
static bool has_room(const struct lane lanes[PEERS], unsigned peer)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < PEERS; i++)
		bytes += lanes[i].bytes;
	return (uint16_t)(lanes[peer].sent - lanes[peer].arrived) < UNDER_WAY &&
	       bytes < UNDER_WAY_BYTES;
}

static void has_sent(struct lane *lane, size_t length)
{
	lane->sent++;
	/* The kernel rounds up to a power of two, and counts what it notes besides. */
	lane->bytes += 2 * length + 1280;
}

/* Writes a datagram that tells what it is. */
static void compose(unsigned char *at, uint16_t sequence, size_t length)
{
	struct header header = {.sequence = sequence, .length = (uint16_t)length};

	memset(at, sequence & 0xff, length);
	memcpy(at, &header, sizeof header);
}

static void require_next(struct lane *lane, const unsigned char *data, size_t length, size_t room,
			 bool truncated)
{
	struct header header;

	FUZZ_REQUIRE(length >= sizeof header);
	memcpy(&header, data, sizeof header);
	FUZZ_REQUIRE(header.sequence == lane->arrived && lane->arrived != lane->sent);
	FUZZ_REQUIRE(length == (header.length < room ? header.length : room));
	FUZZ_REQUIRE(truncated == (header.length > room));
	for (size_t i = sizeof header; i < length; i++)
		FUZZ_REQUIRE(data[i] == (header.sequence & 0xff));
	lane->arrived++;
	if (lane->arrived == lane->sent)
		lane->bytes = 0;
}

static unsigned peer_of(const struct adopt_address *address)
{
	if (world.connected)
		return 0;
	for (unsigned i = 0; i < world.peer_count; i++)
		if (adopt_address_equal(address, &world.peer_addresses[i]))
			return i;
	FUZZ_REQUIRE(!"a datagram of somebody else");
	return 0;
}

static void send_one(unsigned peer, size_t length)
{
	const struct adopt_address *to = world.connected ? NULL : &world.peer_addresses[peer];
	struct lane *lane = &world.out[peer];
	int result;

	if (!world.port || !has_room(world.out, peer))
		return;
	compose(buffer, lane->sent, length);
	result = adopt_port_send(world.port, to, buffer, length);
	if (result == 0)
		has_sent(lane, length);
	FUZZ_REQUIRE(result == 0 || result == -EAGAIN);
}

static void send_several(unsigned peer, size_t length, unsigned count)
{
	const struct adopt_address *to = world.connected ? NULL : &world.peer_addresses[peer];
	struct adopt_datagram datagrams[UNDER_WAY];
	static unsigned char bytes[UNDER_WAY][256];
	struct lane *lane = &world.out[peer];
	int result;

	length = length < sizeof bytes[0] ? length : sizeof bytes[0];
	if (!world.port || lane->sent != lane->arrived)
		return;
	for (unsigned i = 0; i < count; i++) {
		compose(bytes[i], (uint16_t)(lane->sent + i), length);
		datagrams[i] = (struct adopt_datagram){.data = bytes[i], .length = length};
	}
	result = adopt_port_send_several(world.port, NULL, to, datagrams, count);
	FUZZ_REQUIRE(result == -EAGAIN || (result > 0 && result <= (int)count));
	for (int i = 0; i < result; i++)
		has_sent(lane, length);
}

static void stop_port(void)
{
	world.stopping = world.stopping || world.port;
	adopt_port_stop(&world.port);
	FUZZ_REQUIRE(!world.port);
}

static void set_paused(bool paused)
{
	if (!world.port)
		return;
	world.paused = paused;
	if (paused)
		adopt_port_pause(world.port);
	else
		adopt_port_resume(world.port);
}

/* What the protocol may do, within its callbacks and without. */
static void do_as_protocol(unsigned what)
{
	switch (what % 8) {
	case 0:
	case 1:
	case 2:
		send_one(next_peer(), next_length());
		break;
	case 3:
	case 4:
		send_several(next_peer(), next_length(), 1 + next_byte() % UNDER_WAY);
		break;
	case 5:
		set_paused(true);
		break;
	case 6:
		set_paused(false);
		break;
	default:
		if (next_byte() % 8 == 0)
			stop_port();
		break;
	}
}

static void meanwhile(void)
{
	unsigned what = next_byte();

	if (what >= 128)
		do_as_protocol(what);
}

static void told(const struct adopt_datagram *datagram)
{
	FUZZ_REQUIRE(datagram->length <= world.max_packet_size);
	require_next(&world.in[peer_of(datagram->peer)], datagram->data, datagram->length,
		     world.max_packet_size, datagram->truncated);
}

static void require_receiving(void)
{
	FUZZ_REQUIRE(!world.paused && !world.stopping && !world.stopped && !world.inside);
}

static void received(struct adopt_datagram_protocol *protocol,
		     const struct adopt_datagram *datagram)
{
	(void)protocol;
	require_receiving();
	world.inside = true;
	told(datagram);
	meanwhile();
	world.inside = false;
}

static void received_several(struct adopt_datagram_protocol *protocol,
			     const struct adopt_datagram *datagrams, size_t count)
{
	(void)protocol;
	FUZZ_REQUIRE(count >= 1 && count <= ADOPT_DATAGRAMS_MAX);
	require_receiving();
	world.inside = true;
	for (size_t i = 0; i < count; i++) {
		told(&datagrams[i]);
		meanwhile();
	}
	world.inside = false;
}

static void stopped(struct adopt_datagram_protocol *protocol)
{
	(void)protocol;
	FUZZ_REQUIRE(!world.stopped && !world.inside);
	world.stopped = true;
}

static const struct adopt_datagram_protocol_ops one_by_one = {
	.datagram_received = received,
	.stop = stopped,
};

static const struct adopt_datagram_protocol_ops several = {
	.datagrams_received = received_several,
	.stop = stopped,
};

static void peer_sends(unsigned peer, size_t length)
{
	struct lane *lane = &world.in[peer];

	if (!has_room(world.in, peer))
		return;
	compose(buffer, lane->sent, length);
	if (send(world.peers[peer], buffer, length, MSG_DONTWAIT) == (ssize_t)length)
		has_sent(lane, length);
}

/* Returns whether there was one. */
static bool peer_receives(unsigned peer)
{
	ssize_t length = recv(world.peers[peer], buffer, sizeof buffer, MSG_DONTWAIT);

	if (length < 0)
		return false;
	require_next(&world.out[peer], buffer, (size_t)length, sizeof buffer, false);
	return true;
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

static void step(void)
{
	unsigned what = next_byte();
	unsigned peer = (what >> 4) % world.peer_count;

	switch (what % 16) {
	case 0:
	case 1:
	case 2:
	case 3:
		peer_sends(peer, next_length());
		break;
	case 4:
		for (unsigned i = next_byte() % UNDER_WAY; i > 0; i--)
			peer_sends(peer, sizeof(struct header) + i);
		break;
	case 5:
	case 6:
		peer_receives(peer);
		break;
	case 7:
	case 8:
		turn();
		break;
	default:
		do_as_protocol(what % 16 - 9);
		break;
	}
}

static void settle(void)
{
	uint16_t before, after;

	set_paused(false);
	do {
		before = after = 0;
		for (unsigned i = 0; i < world.peer_count; i++)
			before = (uint16_t)(before + world.in[i].arrived);
		for (unsigned i = 0; i < world.peer_count; i++)
			while (peer_receives(i))
				;
		turn();
		for (unsigned i = 0; i < world.peer_count; i++)
			after = (uint16_t)(after + world.in[i].arrived);
	} while (before != after);
}

/* What the port has not taken is there for the next holder. */
static void take_the_rest(void)
{
	struct adopt_address from = {.length = sizeof from.name};
	ssize_t length;

	while ((length = recvfrom(world.socket, buffer, sizeof buffer, MSG_DONTWAIT, &from.name.any,
				  &from.length)) >= 0) {
		FUZZ_REQUIRE(world.stopped);
		require_next(&world.in[peer_of(&from)], buffer, (size_t)length, sizeof buffer,
			     false);
		from.length = sizeof from.name;
	}
}

static int bound_socket(struct adopt_address *ret)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	FUZZ_REQUIRE(fd >= 0 && adopt_address_parse("127.0.0.1:0", ret) == 0);
	FUZZ_REQUIRE(bind(fd, &ret->name.any, ret->length) == 0);
	FUZZ_REQUIRE(getsockname(fd, &ret->name.any, &ret->length) == 0);
	return fd;
}

static void connect_to(int fd, const struct adopt_address *address)
{
	FUZZ_REQUIRE(connect(fd, &address->name.any, address->length) == 0);
}

static void open_sockets(unsigned kind)
{
	int pair[2];

	world.connected = kind != 0;
	world.peer_count = world.connected ? 1 : PEERS;
	if (kind == 1) {
		FUZZ_REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) == 0);
		world.socket = pair[0];
		world.peers[0] = pair[1];
		return;
	}
	world.socket = bound_socket(&world.address);
	for (unsigned i = 0; i < world.peer_count; i++) {
		world.peers[i] = bound_socket(&world.peer_addresses[i]);
		connect_to(world.peers[i], &world.address);
	}
	if (world.connected)
		connect_to(world.socket, &world.peer_addresses[0]);
}

static void open_world(const uint8_t *data, size_t length)
{
	unsigned what;

	memset(&world, 0, sizeof world);
	world.at = data;
	world.end = data + length;
	world.stop.run = stop_loop;
	what = next_byte();
	world.protocol.ops = what & 8 ? &several : &one_by_one;
	world.max_packet_size = what & 4 ? 600 : ADOPT_MAX_PACKET_SIZE;
	open_sockets(what % 4 % 3);
	FUZZ_REQUIRE(adopt_reactor_new(&world.reactor) == 0);
	FUZZ_REQUIRE(adopt_datagram_port(world.reactor, world.socket, AF_UNSPEC, &world.protocol,
					 world.max_packet_size, &world.port) == 0);
}

static bool all_arrived(void)
{
	for (unsigned i = 0; i < world.peer_count; i++)
		if (world.in[i].arrived != world.in[i].sent ||
		    world.out[i].arrived != world.out[i].sent)
			return false;
	return true;
}

/* A busy kernel may leave what crosses the loopback to a thread of its own. */
static void wait_for_stragglers(void)
{
	for (unsigned tries = 0; tries < PATIENCE_MS && !all_arrived(); tries++) {
		poll(NULL, 0, 1);
		take_the_rest();
		for (unsigned i = 0; i < world.peer_count; i++)
			while (peer_receives(i))
				;
	}
}

static void close_world(void)
{
	adopt_reactor_free(&world.reactor);
	FUZZ_REQUIRE(world.stopped);
	take_the_rest();
	wait_for_stragglers();
	FUZZ_REQUIRE(all_arrived());
	for (unsigned i = 0; i < world.peer_count; i++)
		close(world.peers[i]);
	close(world.socket);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	int before = fuzz_lowest_free();

	open_world(data, length);
	while (world.at < world.end)
		step();
	settle();
	close_world();
	FUZZ_REQUIRE(fuzz_lowest_free() == before);
	return 0;
}
