/* datagram_batch.h - room for the datagrams that come with one system call */
#ifndef ADOPT_DATAGRAM_BATCH_H
#define ADOPT_DATAGRAM_BATCH_H

#include "adopt.h"

/* What a reactor has: room for 16 of the largest datagrams of IP, and of those of the usual
 * ADOPT_MAX_PACKET_SIZE for as many as can come at a time. */
#define DATAGRAM_BATCH_BYTES (1024 * 1024)

struct datagram_batch;

/* A socket that datagrams come from. */
struct datagram_source {
	int fd;
	size_t max_packet_size;
	struct adopt_address own; /* as bound; length 0 where the system does not say */
	bool tells_local;         /* bound to all addresses: each datagram tells its own */
};

/*
 * Makes room, which takes memory only as it is used.
 * bytes: of all its datagrams together.
 * ret: free with datagram_batch_free().
 * Returns 0 or -ENOMEM.
 */
int datagram_batch_new(size_t bytes, struct datagram_batch **ret);

/* Frees it and sets it NULL; NULL inside is harmless. */
void datagram_batch_free(struct datagram_batch **batch);

/* Returns how many datagrams of a size come at a time, for which there is room: 0 where even
 * one is too large. */
unsigned datagram_batch_room(const struct datagram_batch *batch, size_t max_packet_size);

/*
 * Receives what waits.
 * count: 1 to datagram_batch_room(). Where fewer came, no more waited.
 * ret: them, in order; the batch's, valid until it receives again.
 * Returns how many came, or a negative errno from recvmsg().
 */
int datagram_batch_receive(struct datagram_batch *batch, const struct datagram_source *source,
			   unsigned count, const struct adopt_datagram **ret);

#endif
