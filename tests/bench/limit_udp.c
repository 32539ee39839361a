/*
 * The limit of a relay for datagrams: limit-udp UPSTREAM-PORT
 *
 * A connected socket for each client, and as many packets a system call as there are.
 */
#include "limit.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define BATCH_MAX 64
#define PACKET_MAX_BYTES 2048
#define BUCKETS 65536

/* A client, and the socket to the upstream that is its own. */
struct session {
	struct limit_watch watch;
	struct session *next; /* of its bucket */
	struct sockaddr_in client;
};

/* Packets that come with one system call, and go with one or a few. */
struct batch {
	struct mmsghdr headers[BATCH_MAX];
	struct iovec pieces[BATCH_MAX];
	struct sockaddr_in peers[BATCH_MAX];
	char bytes[BATCH_MAX][PACKET_MAX_BYTES];
};

static uint16_t upstream_port;
static struct session *buckets[BUCKETS];
static struct batch from_clients, from_upstream;

static void batch_init(struct batch *batch)
{
	for (unsigned i = 0; i < BATCH_MAX; i++) {
		batch->pieces[i] = (struct iovec){batch->bytes[i], PACKET_MAX_BYTES};
		batch->headers[i].msg_hdr.msg_iov = &batch->pieces[i];
		batch->headers[i].msg_hdr.msg_iovlen = 1;
	}
}

/* Names the senders of the packets that come, or whom those that go are for. */
static void batch_name(struct batch *batch, unsigned first, unsigned count, bool named)
{
	for (unsigned i = first; i < first + count; i++) {
		batch->headers[i].msg_hdr.msg_name = named ? &batch->peers[i] : NULL;
		batch->headers[i].msg_hdr.msg_namelen = named ? sizeof batch->peers[i] : 0;
	}
}

/* Receives up to BATCH_MAX; returns how many, or -1. */
static int batch_receive(struct batch *batch, int fd)
{
	int count;

	for (unsigned i = 0; i < BATCH_MAX; i++)
		batch->pieces[i].iov_len = PACKET_MAX_BYTES;
	count = recvmmsg(fd, batch->headers, BATCH_MAX, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++)
		batch->pieces[i].iov_len = batch->headers[i].msg_len;
	return count;
}

static void on_upstream(struct limit_watch *watch, uint32_t events)
{
	struct session *session = (struct session *)watch;
	struct batch *batch = &from_upstream;
	int count = batch_receive(batch, watch->fd);

	(void)events;
	for (int i = 0; i < count; i++) {
		batch->headers[i].msg_hdr.msg_name = &session->client;
		batch->headers[i].msg_hdr.msg_namelen = sizeof session->client;
	}
	if (count > 0)
		(void)sendmmsg(LIMIT_FD, batch->headers, (unsigned)count, 0);
	batch_name(batch, 0, count > 0 ? (unsigned)count : 0, false);
}

static bool is_of(const struct session *session, const struct sockaddr_in *client)
{
	return session->client.sin_port == client->sin_port &&
	       session->client.sin_addr.s_addr == client->sin_addr.s_addr;
}

static struct session *session_of(const struct sockaddr_in *client)
{
	uint32_t hash = (client->sin_addr.s_addr ^ (uint32_t)client->sin_port << 12) * 2654435761u;
	struct session **bucket = &buckets[hash >> 16];
	struct session *session = *bucket;

	while (session && !is_of(session, client))
		session = session->next;
	if (session)
		return session;
	session = limit_alloc(sizeof *session);
	session->watch.happened = on_upstream;
	session->watch.fd = limit_connect(SOCK_DGRAM, upstream_port);
	session->client = *client;
	session->next = *bucket;
	*bucket = session;
	limit_watch(&session->watch, EPOLLIN);
	return session;
}

/* Neighbours from the same client go on together. */
static void on_clients(struct limit_watch *watch, uint32_t events)
{
	struct batch *batch = &from_clients;
	unsigned count, first, next;
	int received;

	(void)events;
	batch_name(batch, 0, BATCH_MAX, true);
	received = batch_receive(batch, watch->fd);
	count = received > 0 ? (unsigned)received : 0;
	for (first = 0; first < count; first = next) {
		struct session *session = session_of(&batch->peers[first]);

		for (next = first + 1; next < count && is_of(session, &batch->peers[next]);)
			next++;
		batch_name(batch, first, next - first, false);
		(void)sendmmsg(session->watch.fd, batch->headers + first, next - first, 0);
	}
}

int main(int argc, char *argv[])
{
	struct limit_watch clients = {.happened = on_clients, .fd = LIMIT_FD};

	if (argc != 2) {
		errno = EINVAL;
		limit_die("usage: limit-udp UPSTREAM-PORT");
	}
	upstream_port = (uint16_t)limit_number(argv[1]);
	limit_begin();
	batch_init(&from_clients);
	batch_init(&from_upstream);
	limit_watch(&clients, EPOLLIN);
	limit_run();
}
