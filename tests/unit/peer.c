/* The far end of a connection, driven by the loop under test itself. */
#include "recorder.h"

#include <errno.h>
#include <string.h>

#define PIECE_BYTES 50000

static struct peer *from_watcher(struct adopt_watcher *watcher)
{
	return (struct peer *)watcher;
}

static void readable_peer(struct adopt_watcher *watcher)
{
	static unsigned char buffer[PIECE_BYTES];
	struct peer *peer = from_watcher(watcher);
	size_t size = peer->records ? sizeof buffer : 1 + next_random() % sizeof buffer;
	ssize_t length = recv(watcher->fd, buffer, size, 0);

	if (length < 0 && errno == EAGAIN)
		return;
	if (length <= 0) {
		peer->ended = true;
		peer->error = length < 0 ? -errno : 0;
		adopt_reader_remove(loop, watcher);
		return;
	}
	if (!pattern_holds(peer->received, buffer, (size_t)length))
		peer->garbled = true;
	peer->received += (uint64_t)length;
}

static void sent_all(struct peer *peer)
{
	adopt_writer_remove(loop, &peer->watcher);
	if (peer->shut_when_sent)
		shutdown(peer->watcher.fd, SHUT_WR);
}

static void writable_peer(struct adopt_watcher *watcher)
{
	static unsigned char buffer[PIECE_BYTES];
	struct peer *peer = from_watcher(watcher);
	uint64_t left = peer->to_send - peer->sent;
	size_t length = 1 + next_random() % sizeof buffer;
	ssize_t sent;

	if (length > left)
		length = (size_t)left;
	pattern_fill(peer->sent, buffer, length);
	sent = send(watcher->fd, buffer, length, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN) {
		adopt_writer_remove(loop, watcher);
		return;
	}
	if (sent > 0)
		peer->sent += (uint64_t)sent;
	if (peer->sent == peer->to_send)
		sent_all(peer);
}

static const struct adopt_watcher_ops peer_ops = {
	.readable = readable_peer,
	.writable = writable_peer,
};

void peer_start(struct peer *peer, int fd, uint64_t to_send, bool shut)
{
	struct adopt_socket_kind kind;

	ck_assert_int_eq(adopt_socket_inspect(fd, &kind), 0);
	*peer = (struct peer){
		.records = kind.type == SOCK_SEQPACKET,
		.watcher = {.ops = &peer_ops, .fd = fd},
		.to_send = to_send,
		.shut_when_sent = shut,
	};
	ck_assert_int_eq(adopt_reader_add(loop, &peer->watcher), 0);
	if (to_send == 0)
		sent_all(peer);
	else
		ck_assert_int_eq(adopt_writer_add(loop, &peer->watcher), 0);
}

void peer_stop(struct peer *peer)
{
	adopt_reader_remove(loop, &peer->watcher);
	adopt_writer_remove(loop, &peer->watcher);
}
