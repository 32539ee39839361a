#include "datagram_batch.h"

#include "messages.h"
#include "packet_info.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

/* Each datagram begins where anything may. */
#define ALIGNMENT 16

struct datagram_batch {
	struct adopt_datagram datagrams[ADOPT_DATAGRAMS_MAX];
	struct mmsghdr messages[ADOPT_DATAGRAMS_MAX];
	struct iovec pieces[ADOPT_DATAGRAMS_MAX];
	struct adopt_address peers[ADOPT_DATAGRAMS_MAX];
	struct adopt_address locals[ADOPT_DATAGRAMS_MAX];
	union packet_info infos[ADOPT_DATAGRAMS_MAX];
	size_t size;
	_Alignas(ALIGNMENT) unsigned char bytes[];
};

static size_t aligned(size_t size)
{
	return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

int datagram_batch_new(size_t bytes, struct datagram_batch **ret)
{
	struct datagram_batch *batch = NULL;

	if (bytes <= SIZE_MAX / 2)
		batch = calloc(1, sizeof *batch + aligned(bytes));
	if (!batch)
		return -ENOMEM;
	batch->size = aligned(bytes);
	for (unsigned i = 0; i < ADOPT_DATAGRAMS_MAX; i++)
		batch->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &batch->peers[i].name,
			.msg_iov = &batch->pieces[i],
			.msg_iovlen = 1,
		};
	*ret = batch;
	return 0;
}

void datagram_batch_free(struct datagram_batch **batch)
{
	free(*batch);
	*batch = NULL;
}

unsigned datagram_batch_room(const struct datagram_batch *batch, size_t max_packet_size)
{
	size_t room = batch->size / aligned(max_packet_size);
	unsigned most = messages_at_a_time();

	return room < most ? (unsigned)room : most;
}

static void prepare(struct datagram_batch *batch, const struct datagram_source *source,
		    unsigned count)
{
	size_t step = aligned(source->max_packet_size);

	for (unsigned i = 0; i < count; i++) {
		struct msghdr *message = &batch->messages[i].msg_hdr;

		batch->pieces[i].iov_base = batch->bytes + i * step;
		batch->pieces[i].iov_len = source->max_packet_size;
		message->msg_namelen = sizeof batch->peers[i].name;
		message->msg_control = source->tells_local ? &batch->infos[i] : NULL;
		message->msg_controllen = source->tells_local ? sizeof batch->infos[i] : 0;
	}
}

static void take(struct datagram_batch *batch, const struct datagram_source *source, unsigned i)
{
	struct mmsghdr *message = &batch->messages[i];

	batch->peers[i].length = message->msg_hdr.msg_namelen;
	if (source->tells_local) {
		batch->locals[i] = source->own;
		packet_info_read(&message->msg_hdr, &batch->locals[i]);
	}
	batch->datagrams[i] = (struct adopt_datagram){
		.data = batch->pieces[i].iov_base,
		.length = message->msg_len,
		.peer = &batch->peers[i],
		.local = source->tells_local ? &batch->locals[i] : &source->own,
		.truncated = (message->msg_hdr.msg_flags & MSG_TRUNC) != 0,
	};
}

int datagram_batch_receive(struct datagram_batch *batch, const struct datagram_source *source,
			   unsigned count, const struct adopt_datagram **ret)
{
	int received;

	prepare(batch, source, count);
	received = messages_receive(source->fd, batch->messages, count);
	for (int i = 0; i < received; i++)
		take(batch, source, (unsigned)i);
	if (received > 0)
		*ret = batch->datagrams;
	return received;
}
