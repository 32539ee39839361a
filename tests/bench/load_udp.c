/*
 * Datagrams there and back. Each client has so many of them under way; one that does not
 * come back in time is lost, unless it comes later, and replaced by another. They look
 * like questions to a name server and the answers from one, as some relays pass on
 * nothing else.
 */
#include "load.h"
#include "pattern.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define LOST_AFTER_NS 1000000000
#define BATCH_MAX LOAD_WINDOW_MAX

/* RFC 1035, 4.1.1: a header, then one question: a label of two numbers and some bytes as
 * hexadecimal digits, the root, type A, class IN. */
#define HEADER_BYTES 12
#define LABEL_BYTES 47
#define PACKET_BYTES (HEADER_BYTES + 1 + LABEL_BYTES + 1 + 4)
#define FLAG_BYTE 2
#define FLAG_ANSWER 0x80

/* A place for a packet under way. */
struct slot {
	bool waiting;
	uint64_t packet; /* the number of the one that was sent last */
	uint64_t lost;   /* of the last one that was given up: it may still come */
	uint64_t began_ns;
};

struct client {
	struct watch watch;
	unsigned number;
	uint64_t packets;
	struct slot slots[LOAD_WINDOW_MAX];
};

/* Packets that come or go with one system call. */
struct batch {
	unsigned count;
	struct mmsghdr headers[BATCH_MAX];
	struct iovec pieces[BATCH_MAX];
	struct sockaddr_in peers[BATCH_MAX];
	unsigned char bytes[BATCH_MAX][PACKET_BYTES + 1];
};

struct udp {
	struct client *clients;
	struct batch in;
	struct batch out;
};

struct backend {
	struct watch watch;
	struct batch batch;
};

/* length: of a packet that goes, or the most that may come. */
static void batch_init(struct batch *batch, size_t length)
{
	for (unsigned i = 0; i < BATCH_MAX; i++) {
		batch->pieces[i] = (struct iovec){batch->bytes[i], length};
		batch->headers[i].msg_hdr.msg_iov = &batch->pieces[i];
		batch->headers[i].msg_hdr.msg_iovlen = 1;
	}
}

/* Returns how many came, or a negative errno. */
static int batch_receive(struct batch *batch, int fd)
{
	int count = recvmmsg(fd, batch->headers, BATCH_MAX, 0, NULL);

	if (count < 0)
		return -errno;
	batch->count = (unsigned)count;
	return count;
}

/* What does not fit the socket any more is lost, and will be counted so. */
static void batch_send(struct batch *batch, int fd)
{
	if (batch->count > 0)
		(void)sendmmsg(fd, batch->headers, batch->count, 0);
	batch->count = 0;
}

static void packet_write(unsigned char *bytes, unsigned slot, unsigned client, uint64_t packet)
{
	static const unsigned char question[] = {1, 0, 0, 1, 0, 0, 0, 0, 0, 0, LABEL_BYTES};
	static const unsigned char rest[] = {0, 0, 1, 0, 1};
	static const char digits[] = "0123456789abcdef";
	unsigned char numbers[LABEL_BYTES / 2 + 1];
	unsigned char *label = bytes + HEADER_BYTES + 1;

	bytes[0] = (unsigned char)(slot >> 8);
	bytes[1] = (unsigned char)slot;
	memcpy(bytes + FLAG_BYTE, question, sizeof question);
	message_write(numbers, sizeof numbers, (uint64_t)client << 40 | packet);
	for (unsigned i = 0; i < LABEL_BYTES; i++)
		label[i] = (unsigned char)digits[numbers[i / 2] >> (i % 2 ? 4 : 0) & 15];
	memcpy(label + LABEL_BYTES, rest, sizeof rest);
}

/* Puts the next packet of a slot into the batch. */
static void slot_begin(struct client *client, unsigned number, struct batch *batch)
{
	struct slot *slot = &client->slots[number];

	slot->waiting = true;
	slot->packet = ++client->packets;
	slot->began_ns = load_begin(client->watch.load);
	packet_write(batch->bytes[batch->count++], number, client->number, slot->packet);
}

/* The slot that an answer belongs to, or NULL where it is not one of this client. */
static struct slot *slot_of(struct client *client, unsigned char *bytes, size_t length,
			    uint64_t *ret_packet)
{
	unsigned number = (unsigned)bytes[0] << 8 | bytes[1];
	unsigned char wanted[PACKET_BYTES];
	struct slot *slot;

	if (length != PACKET_BYTES || number >= client->watch.load->window)
		return NULL;
	slot = &client->slots[number];
	bytes[FLAG_BYTE] &= (unsigned char)~FLAG_ANSWER;
	packet_write(wanted, number, client->number, slot->packet);
	*ret_packet = slot->packet;
	if (memcmp(bytes, wanted, PACKET_BYTES) == 0)
		return slot;
	packet_write(wanted, number, client->number, slot->lost);
	*ret_packet = slot->lost;
	return memcmp(bytes, wanted, PACKET_BYTES) == 0 ? slot : NULL;
}

/* Returns whether the slot is free for a next packet. */
static bool answered(struct client *client, unsigned char *bytes, size_t length, unsigned *ret_slot)
{
	struct load *load = client->watch.load;
	uint64_t packet;
	struct slot *slot = slot_of(client, bytes, length, &packet);

	if (slot && packet == slot->lost) {
		slot->lost = 0;
		load_found(load);
		return false;
	}
	if (!slot || !slot->waiting) {
		load_fault(load, OUTCOME_WRONG);
		return false;
	}
	slot->waiting = false;
	load_end(load, slot->began_ns, OUTCOME_DONE, 1);
	*ret_slot = (unsigned)(slot - client->slots);
	return load->phase == PHASE_RUNNING;
}

static void on_client(struct watch *watch, uint32_t events)
{
	struct client *client = (struct client *)watch;
	struct udp *udp = watch->load->clients_of_mode;

	(void)events;
	if (batch_receive(&udp->in, watch->fd) < 0)
		return; /* nothing, or an ICMP error: the packet is lost */
	for (unsigned i = 0; i < udp->in.count; i++) {
		unsigned slot;

		if (answered(client, udp->in.bytes[i], udp->in.headers[i].msg_len, &slot))
			slot_begin(client, slot, &udp->out);
	}
	batch_send(&udp->out, watch->fd);
}

static void set_up(struct load *load)
{
	struct udp *udp = load_alloc(1, sizeof *udp);

	batch_init(&udp->in, sizeof udp->in.bytes[0]);
	batch_init(&udp->out, PACKET_BYTES);
	udp->clients = load_alloc(load->clients, sizeof *udp->clients);
	load->clients_of_mode = udp;
	for (unsigned i = 0; i < load->clients; i++) {
		struct client *client = &udp->clients[i];

		client->number = load_number(load, i);
		client->watch.happened = on_client;
		client->watch.fd = load_connect(load, client->number, SOCK_DGRAM);
		if (client->watch.fd < 0)
			load_die("connect");
		load_watch(load, &client->watch, EPOLLIN);
		load_ready(load);
	}
}

static void start(struct load *load)
{
	struct udp *udp = load->clients_of_mode;

	for (unsigned i = 0; i < load->clients; i++) {
		for (unsigned slot = 0; slot < load->window; slot++)
			slot_begin(&udp->clients[i], slot, &udp->out);
		batch_send(&udp->out, udp->clients[i].watch.fd);
	}
}

/* Gives up what is overdue. */
static void tick_client(struct client *client, struct batch *out, uint64_t now_ns)
{
	struct load *load = client->watch.load;

	for (unsigned i = 0; i < load->window; i++) {
		struct slot *slot = &client->slots[i];

		if (!slot->waiting || now_ns - slot->began_ns < LOST_AFTER_NS)
			continue;
		slot->waiting = false;
		slot->lost = slot->packet;
		load_end(load, slot->began_ns, OUTCOME_FAILED, 1);
		if (load->phase == PHASE_RUNNING)
			slot_begin(client, i, out);
	}
	batch_send(out, client->watch.fd);
}

static void tick(struct load *load)
{
	struct udp *udp = load->clients_of_mode;
	uint64_t now_ns = load_now_ns();

	for (unsigned i = 0; i < load->clients; i++)
		tick_client(&udp->clients[i], &udp->out, now_ns);
}

/* Gives each question back as its answer. */
static void on_backend(struct watch *watch, uint32_t events)
{
	struct batch *batch = &((struct backend *)watch)->batch;

	(void)events;
	for (unsigned i = 0; i < BATCH_MAX; i++) {
		batch->pieces[i].iov_len = sizeof batch->bytes[i];
		batch->headers[i].msg_hdr.msg_name = &batch->peers[i];
		batch->headers[i].msg_hdr.msg_namelen = sizeof batch->peers[i];
	}
	if (batch_receive(batch, watch->fd) < 0)
		return;
	for (unsigned i = 0; i < batch->count; i++) {
		batch->bytes[i][FLAG_BYTE] |= FLAG_ANSWER;
		batch->pieces[i].iov_len = batch->headers[i].msg_len;
	}
	batch_send(batch, watch->fd);
}

static void datagram_backend(struct load *load)
{
	struct backend *backend = load_alloc(1, sizeof *backend);

	batch_init(&backend->batch, sizeof backend->batch.bytes[0]);
	backend->watch = (struct watch){.happened = on_backend, .fd = load->backend_fd};
	load_watch(load, &backend->watch, EPOLLIN | EPOLLEXCLUSIVE);
}

const struct load_mode load_udp = {
	.name = "udp",
	.set_up = set_up,
	.start = start,
	.tick = tick,
	.datagram_backend = datagram_backend,
};
